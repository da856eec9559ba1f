from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0077_lists",
    "1.77.0",
    "Lists of who reported in and old books of matters are imported, and taken back as a whole",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
