from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0074_matter_verbs",
    "1.74.0",
    "Who dispatches matters, and what is told and forgotten of them",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
