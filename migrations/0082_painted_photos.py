from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0082_painted_photos", "1.82.0", "A photo that nothing has yet may be painted over"


async def forwards() -> MigrationManager:
    return migration(__file__)
