from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0083_ledger_earning", "1.83.0", "The transfers of an earning are written in one statement"


async def forwards() -> MigrationManager:
    return migration(__file__)
