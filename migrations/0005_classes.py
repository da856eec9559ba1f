from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0005_classes",
    "1.38.0",
    "Class minutes: one entry for a purchase, refunds, moves, last days, stopped courses",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
