from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0049_pickup", "1.49.0", "One table of the codes that are shown at a counter"


async def forwards() -> MigrationManager:
    return migration(__file__)
