from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0053_subjects",
    "1.53.0",
    "Subjects of objections; what follows from a confirmed row",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
