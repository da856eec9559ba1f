from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0054_verbs", "1.54.0",
"What the verbs that people wait for need: a device is noted as used where it is looked up"


async def forwards() -> MigrationManager:
    return migration(__file__)
