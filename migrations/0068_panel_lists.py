from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0068_panel_lists",
    "1.68.0",
    "Indexes of the panel: active residents, redemptions of a status",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
