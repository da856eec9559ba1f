from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0038_runs", "1.38.0", "Imports in short batches, carried on by the worker"


async def forwards() -> MigrationManager:
    return migration(__file__)
