from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0021_signin", "1.38.0", "Failed sign-ins delay, known browsers, sealed answers"


async def forwards() -> MigrationManager:
    return migration(__file__)
