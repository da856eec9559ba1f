from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0005_classes",
    "1.38.0",
    "Class minutes: purchase in one entry, refunds, moves",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
