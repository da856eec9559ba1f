from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0002_ledger", "1.38.0", "The ledger: tables and the functions that alone write them"


async def forwards() -> MigrationManager:
    return migration(__file__)
