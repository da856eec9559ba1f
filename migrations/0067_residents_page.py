from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0067_residents_page",
    "1.67.0",
    "What the page of a resident still lacked: sign-ins, and scans that were refused",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
