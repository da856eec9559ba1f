from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0009_transactions", "1.38.0", "Pages of areas are read along their path"


async def forwards() -> MigrationManager:
    return migration(__file__)
