from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0045_drafts", "1.45.0", "A tried workbook keeps all that was found, sealed, and its run"


async def forwards() -> MigrationManager:
    return migration(__file__)
