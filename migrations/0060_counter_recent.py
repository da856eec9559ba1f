from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0060_counter_recent", "1.60.0", "What was done last at a counter is found by an index"


async def forwards() -> MigrationManager:
    return migration(__file__)
