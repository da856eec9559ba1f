from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0028_ledger", "1.38.0", "Reversals of what has expired, promised last days"


async def forwards() -> MigrationManager:
    return migration(__file__)
