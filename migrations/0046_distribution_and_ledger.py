from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0046_distribution_and_ledger", "1.38.0", "A schema that can be laid out on several servers"


async def forwards() -> MigrationManager:
    return migration(__file__)
