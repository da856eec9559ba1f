from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0052_outbox", "1.52.0", "What a verb leaves for the worker to deliver"


async def forwards() -> MigrationManager:
    return migration(__file__)
