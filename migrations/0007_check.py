from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0007_check",
    "1.38.0",
    "The stored check of the books, and indexes for pages that read no history",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
