from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0073_patterns",
    "1.73.0",
    "Shifts that come again by a pattern, standing sign-ups, seats on offer, a leader's code and paid duty",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
