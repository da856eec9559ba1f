from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0032_read", "1.38.0", "Who read a code elsewhere than on its screen"


async def forwards() -> MigrationManager:
    return migration(__file__)
