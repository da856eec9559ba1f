from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0064_audit_about", "1.64.0", "The audit says whom an act is about, and entries are found"


async def forwards() -> MigrationManager:
    return migration(__file__)
