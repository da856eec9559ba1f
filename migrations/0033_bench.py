from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0033_bench", "1.38.0", "Who appointed those who decide, and who cares for whom"


async def forwards() -> MigrationManager:
    return migration(__file__)
