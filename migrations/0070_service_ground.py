from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0070_service_ground",
    "1.70.0",
    "What the neighbourhood service stands on: units, roles of its workers, capabilities to switch on",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
