from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0004_presence", "1.38.0", "Hours past midnight, device clocks, records that are withdrawn"


async def forwards() -> MigrationManager:
    return migration(__file__)
