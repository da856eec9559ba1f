from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0055_paths", "1.55.0", "A grant over a street or county travels once with a request"


async def forwards() -> MigrationManager:
    return migration(__file__)
