from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration
from timebank.people.name_keys import fill_spellings

ID, VERSION, DESCRIPTION = "0059_initials", "1.59.0", "People are found by pinyin, initials and last four digits"


async def forwards() -> MigrationManager:
    return migration(__file__, then=fill_spellings)
