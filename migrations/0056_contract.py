from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0056_contract", "1.56.0", "What nothing reads any more goes"


async def forwards() -> MigrationManager:
    return migration(__file__)
