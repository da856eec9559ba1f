from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0071_matters",
    "1.71.0",
    "Matters: reports, events, orders, wishes and pledges, from receipt to rating",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
