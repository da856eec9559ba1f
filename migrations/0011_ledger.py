from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0011_ledger", "1.38.0", "The ledger's own refusals, and announcements of before"


async def forwards() -> MigrationManager:
    return migration(__file__)
