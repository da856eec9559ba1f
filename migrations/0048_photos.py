from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0048_photos", "1.48.0", "Photos of any noun, private until a person has cleared them"


async def forwards() -> MigrationManager:
    return migration(__file__)
