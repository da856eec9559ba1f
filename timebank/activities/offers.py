"""Activities: what people volunteer for, at which station, and by which rule it is credited."""

from uuid import UUID

import msgspec

from timebank.activities.schemas import ActivityIn, ActivityOut
from timebank.activities.tables import Activity
from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.rules.catalogue import usable_rule


class ActivityNameTaken(TimebankError):
    code = "activity_name_taken"
    status = 409
    sentence = "这个社区已经有同名的活动。请换一个名称。"
    constraint = "activity_name_unique"


class ActivityStationUnknown(TimebankError):
    code = "activity_station_unknown"
    status = 422
    sentence = "没有这个驿站。请从本社区的驿站里选。"
    constraint = ("activity_station", "shift_station", "shift_pattern_station")


class ActivityTeamUnknown(TimebankError):
    code = "activity_team_unknown"
    status = 422
    sentence = "没有这个班组。请从本社区的班组里选。"
    constraint = "activity_team"


class _Listed(ActivityOut, frozen=True, kw_only=True):
    """An activity with its sort key."""

    pinyin: str


_SHOWN = "id, community_id, name, description, station_id, rule_code, needs_sign_up, active, paid, team_id"


async def activity(scope: Scope, activity_id: UUID) -> ActivityOut:
    async with transaction(scope):
        found = await database.row(
            ActivityOut,
            f"SELECT {_SHOWN} FROM activity WHERE community_id = $1 AND id = $2",  # noqa: S608  # own columns
            scope.community_id, activity_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def activities(
    scope: Scope, *, active: bool | None = True, station_id: UUID | None = None, limit: int = 200,
    cursor: str | None = None,
) -> Page[ActivityOut]:  # fmt: skip
    """The community's activities by name; with a station, those offered there or at any station."""
    asked = Filters(scope.community_id)
    asked.add_given("active = {}", active)
    asked.add_given("(station_id IS NULL OR station_id = {})", station_id)
    asked.add_after("pinyin, id", ">", read_cursor(cursor, tuple[str, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed,
            f"SELECT {_SHOWN}, pinyin FROM activity WHERE community_id = $1{asked.sql} "  # noqa: S608  # own columns
            f"ORDER BY pinyin, id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    listed = make_page(found, limit, lambda a: (a.pinyin, a.id))
    return Page([msgspec.convert(a, ActivityOut, from_attributes=True) for a in listed.items], listed.next)


@retried
async def add_activity(scope: Scope, wanted: ActivityIn) -> ActivityOut:
    scope.require_admin()
    activity_id, name = clock.new_id(), named(wanted.name)
    async with transaction(scope):
        await usable_rule(scope, wanted.rule_code, "service")
        await Activity.insert(
            Activity(
                community_id=scope.community_id, id=activity_id, name=name, pinyin=names.pinyin(name),
                description=wanted.description, station_id=wanted.station_id, rule_code=wanted.rule_code,
                needs_sign_up=wanted.needs_sign_up, active=True, created_at=clock.now(), paid=wanted.paid,
                team_id=wanted.team_id,
            )
        )  # fmt: skip
        await audit.record(scope, "add_activity", "activity", activity_id, rule_code=wanted.rule_code)
        return await activity(scope, activity_id)


def named(text: str) -> str:
    """Clean an activity's name. Raises Invalid if nothing is left."""
    return names.required(text, _("活动要有名称"))
