from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0066_undone_acts", "1.66.0", "What a counter did is undone for a minute, by who did it"


async def forwards() -> MigrationManager:
    return migration(__file__)
