from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0016_plans",
    "1.38.0",
    "Indexes and reads that stay bounded while history grows",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
