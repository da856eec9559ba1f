from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = (
    "0072_teams_and_members",
    "1.72.0",
    "How often a team's leaders write to its members in a day; members of units come by workbook",
)


async def forwards() -> MigrationManager:
    return migration(__file__)
