from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0069_counter_and_sign_ins", "1.69.0", "Acts at a counter are undone by login"


async def forwards() -> MigrationManager:
    return migration(__file__)
