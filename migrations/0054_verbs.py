from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0054_verbs", "1.54.0", "What the verbs that people wait for need of the database"


async def forwards() -> MigrationManager:
    return migration(__file__)
