from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0050_messages", "1.50.0", "Messages as a kind of sentence and its values; quiet hours"


async def forwards() -> MigrationManager:
    return migration(__file__)
