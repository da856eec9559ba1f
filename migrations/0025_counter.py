from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0025_counter", "1.38.0", "Keepers sign on to the counter, and presence at it"


async def forwards() -> MigrationManager:
    return migration(__file__)
