from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0006_operation", "1.38.0", "The fingerprint of the secret key that the data is sealed under"


async def forwards() -> MigrationManager:
    return migration(__file__)
