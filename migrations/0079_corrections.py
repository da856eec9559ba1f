from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0079_corrections", "1.79.0", "What was wrong about a matter is put right"


async def forwards() -> MigrationManager:
    return migration(__file__)
