from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0040_words", "1.40.0", "What the words of a community’s own books mean"


async def forwards() -> MigrationManager:
    return migration(__file__)
