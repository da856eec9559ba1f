from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0051_ledger_memos",
    "1.51.0",
    "A memo is stored as kind and values, in words when shown",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
