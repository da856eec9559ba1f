from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0031_devices", "1.38.0", "When a device was last used, and what waits at the counters"


async def forwards() -> MigrationManager:
    return migration(__file__)
