from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0061_month_service", "1.61.0", "The service of each month, and what goods cost"


async def forwards() -> MigrationManager:
    return migration(__file__)
