from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0001_core", "1.38.0", "Everything but the ledger"


async def forwards() -> MigrationManager:
    return migration(__file__)
