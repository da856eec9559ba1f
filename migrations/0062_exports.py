from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0062_exports", "1.62.0", "What each login has exported"


async def forwards() -> MigrationManager:
    return migration(__file__)
