from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0079_corrections", "1.79.0", "Correcting where a matter is"


async def forwards() -> MigrationManager:
    return migration(__file__)
