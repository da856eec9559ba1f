from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0034_privileges", "1.38.0", "The serving role may do what it can prove, and no more"


async def forwards() -> MigrationManager:
    return migration(__file__)
