from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0076_matter_figures",
    "1.76.0",
    "Matters counted by the day on which they were received",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
