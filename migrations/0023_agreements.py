from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0023_agreements", "1.38.0", "Changes wait for a second person"


async def forwards() -> MigrationManager:
    return migration(__file__)
