from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0027_audit", "1.38.0", "The device in the audit, and objections that staff enter"


async def forwards() -> MigrationManager:
    return migration(__file__)
