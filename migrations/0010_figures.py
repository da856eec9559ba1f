from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0010_figures",
    "1.38.0",
    "Figures that the worker counts, statistics after a restore",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
