from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0068_active_residents",
    "1.68.0",
    "Active residents are counted by an index",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
