from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0065_reserved_for", "1.65.0", "An administrator reserves and books for a resident"


async def forwards() -> MigrationManager:
    return migration(__file__)
