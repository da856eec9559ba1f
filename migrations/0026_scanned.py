from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0026_scanned", "1.38.0", "Who scanned, what a code proves, pairing that serves once"


async def forwards() -> MigrationManager:
    return migration(__file__)
