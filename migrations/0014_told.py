from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0014_told", "1.38.0", "Messages of imports"


async def forwards() -> MigrationManager:
    return migration(__file__)
