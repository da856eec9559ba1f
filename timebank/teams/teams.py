"""Teams of a community: founded by an administrator, for an area or from a unit, or for everybody."""

from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.teams.schemas import TeamChange, TeamIn, TeamKind, TeamOut
from timebank.teams.tables import Team
from timebank.units.units import UnitUnknown, is_unit_of_county


class TeamNameTaken(TimebankError):
    code = "team_name_taken"
    status = 409
    sentence = "这个社区已经有同名的班组。请换一个名称。"
    constraint = "team_name_unique"


class TeamPlaceUnknown(TimebankError):
    code = "team_place_unknown"
    status = 422
    sentence = "没有这个网格或楼栋。请从本社区的里选。"
    constraint = "team_area"


class _Listed(TeamOut, frozen=True, kw_only=True):
    """A team with its sort key."""

    pinyin: str


_SHOWN = """
SELECT t.id, t.name, t.kind, t.about, t.area_id, t.unit_id, t.active, t.pinyin,
    (SELECT count(*) FROM team_member m WHERE m.community_id = t.community_id AND m.team_id = t.id
     AND m.joined_on IS NOT NULL AND m.left_on IS NULL)::integer AS members,
    CASE WHEN o.id IS NULL THEN NULL WHEN o.joined_on IS NULL THEN 'asked' WHEN o.leads THEN 'leader' ELSE 'member'
    END AS standing
FROM team t LEFT JOIN team_member o ON o.community_id = t.community_id AND o.team_id = t.id AND o.person_id = $2
 AND o.left_on IS NULL
WHERE t.community_id = $1
"""


async def teams(
    scope: Scope, *, kind: TeamKind | None = None, own: bool = False, active: bool | None = True, limit: int = 200,
    cursor: str | None = None,
) -> Page[TeamOut]:  # fmt: skip
    """The community's teams by name; with `own` those that the caller has joined or asked to join."""
    scope.require_use("teams")
    asked = Filters(scope.community_id, scope.person_id)
    asked.add_given("t.active = {}", active)
    asked.add_given("t.kind = {}", kind)
    if own:
        asked.add("o.id IS NOT NULL")
    asked.add_after("t.pinyin, t.id", ">", read_cursor(cursor, tuple[str, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed, f"{_SHOWN}{asked.sql} ORDER BY t.pinyin, t.id LIMIT {most(limit + 1)}", *asked.values
        )
    listed = make_page(found, limit, lambda t: (t.pinyin, t.id))
    return Page([msgspec.convert(t, TeamOut, from_attributes=True) for t in listed.items], listed.next)


async def team(scope: Scope, team_id: UUID) -> TeamOut:
    """One team of the community. Raises NotFound."""
    scope.require_use("teams")
    async with transaction(scope):
        found = await database.row(_Listed, f"{_SHOWN} AND t.id = $3", scope.community_id, scope.person_id, team_id)
    if found is None:
        raise NotFound
    return msgspec.convert(found, TeamOut, from_attributes=True)


@retried
async def found_team(scope: Scope, wanted: TeamIn) -> TeamOut:
    """Found a team without members. For administrators. Raises TeamNameTaken, TeamPlaceUnknown and UnitUnknown."""
    scope.require_use("teams")
    scope.require_admin()
    team_id, name = clock.new_id(), _named(wanted.name)
    async with transaction(scope):
        if wanted.unit_id is not None and not await is_unit_of_county(scope, wanted.unit_id):
            raise UnitUnknown
        await Team.insert(
            Team(
                community_id=scope.community_id, id=team_id, name=name, pinyin=names.pinyin(name), kind=wanted.kind,
                area_id=wanted.area_id, unit_id=wanted.unit_id, about=names.clean(wanted.about), active=True,
                created_at=clock.now(), wrote_on=None, wrote=0,
            )
        )  # fmt: skip
        await audit.record(scope, "found_team", "team", team_id, kind=wanted.kind)
        return await team(scope, team_id)


@retried
async def change_team(scope: Scope, team_id: UUID, wanted: TeamChange) -> TeamOut:
    """Change a team, or end it: its members stay on record. For administrators."""
    scope.require_use("teams")
    scope.require_admin()
    changed = msgspec.to_builtins(wanted)
    if "name" in changed:
        changed["name"] = _named(changed["name"])
        changed["pinyin"] = names.pinyin(changed["name"])
    async with transaction(scope):
        await team(scope, team_id)
        if changed:
            await Team.update(changed).where((Team.community_id == scope.community_id) & (Team.id == team_id))
            await audit.record(scope, "change_team", "team", team_id, **msgspec.to_builtins(wanted))
        return await team(scope, team_id)


def _named(text: str) -> str:
    return names.required(text, _("班组要有名称"))
