from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0057_hot_writes", "1.57.0", "Less is looked up for each row that is written"


async def forwards() -> MigrationManager:
    return migration(__file__)
