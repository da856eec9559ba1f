from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0012_classes", "1.38.0", "Class minutes: old reversals, moves past the last day"


async def forwards() -> MigrationManager:
    return migration(__file__)
