from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0058_inbox", "1.58.0", "What is decided together, and in whose name it is carried out"


async def forwards() -> MigrationManager:
    return migration(__file__)
