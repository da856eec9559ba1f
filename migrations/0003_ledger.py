from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0003_ledger", "1.38.0", "Days of grace, days closed, expiry announced"


async def forwards() -> MigrationManager:
    return migration(__file__)
