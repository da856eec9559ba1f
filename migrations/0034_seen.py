from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0034_seen", "1.38.0", "A device notes itself when it was last used"


async def forwards() -> MigrationManager:
    return migration(__file__)
