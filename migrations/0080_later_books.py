from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0080_later_books",
    "1.80.0",
    "Later books, skills by list, and what both records of one person have",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
