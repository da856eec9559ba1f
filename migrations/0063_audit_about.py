from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0063_audit_about", "1.63.0", "Whom a change concerns"


async def forwards() -> MigrationManager:
    return migration(__file__)
