from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration
from timebank.people.name_keys import fill_name_keys

ID, VERSION, DESCRIPTION = (
    "0039_names_and_ledger",
    "1.38.0",
    "One key for names; two records merged",
)


async def forwards() -> MigrationManager:
    return migration(__file__, then=fill_name_keys)
