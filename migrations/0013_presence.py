from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0013_presence", "1.38.0", "A visit keeps its station's hours; one login in two communities"


async def forwards() -> MigrationManager:
    return migration(__file__)
