from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0035_codes", "1.38.0", "What a sign-in code opens, who joins a login, logins that rest"


async def forwards() -> MigrationManager:
    return migration(__file__)
