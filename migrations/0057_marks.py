from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0057_marks", "1.57.0", "Visits are found by the browsers that scanned them"


async def forwards() -> MigrationManager:
    return migration(__file__)
