from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0078_wishes_and_moves",
    "1.78.0",
    "What is brought to a station for a wish, and matters that go to another community",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
