from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0047_workdays", "1.47.0", "Working days: the days that differ from Monday to Friday"


async def forwards() -> MigrationManager:
    return migration(__file__)
