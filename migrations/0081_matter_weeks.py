from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from timebank.migrate import migration

ID, VERSION, DESCRIPTION = "0081_matter_weeks", "1.81.0", "The figures of matters are summed by week too"


async def forwards() -> MigrationManager:
    return migration(__file__)
