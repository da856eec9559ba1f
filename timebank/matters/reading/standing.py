"""What the caller is to a matter, and the facts that the state machine decides by."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.agreements.independence import Near, near, signed_on
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Role, Scope
from timebank.matters.checks.signs import REPORTS_WAIT
from timebank.matters.loop.deciding import Facts, Standing
from timebank.matters.reading.rows import MatterRow
from timebank.matters.schemas import LEVELS, MatterLevel
from timebank.people.guardianship.care import in_care
from timebank.policies.values import Policies, policies

_RANKS: dict[Role, MatterLevel] = {
    Role.community_admin: "community", Role.street_admin: "street", Role.county_admin: "county",
}  # fmt: skip


def rank_of(scope: Scope, area_path: Sequence[UUID]) -> int:
    """The highest level whose matters the caller dispatches at this place; -1 for none."""
    if scope.system:
        return len(LEVELS) - 1
    ranks = [LEVELS.index(_RANKS[grant.role]) for grant in scope.here() if grant.role in _RANKS]
    heads = any(grant.role == Role.grid_head and grant.area_id in area_path for grant in scope.here())
    return max([*ranks, 0] if heads else ranks, default=-1)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What is read once of whoever looks at some matters.

    `teams` are those they have joined, `led` those they lead, `vetted` whether the community has looked at them,
    `wards` the children in their care; `close` says which of the people in the matters are near them.
    """

    teams: frozenset[UUID] = frozenset()
    led: frozenset[UUID] = frozenset()
    vetted: bool = False
    wards: frozenset[UUID] = frozenset()
    close: Near = Near()


class _Read(msgspec.Struct, frozen=True):
    teams: list[UUID]
    led: list[UUID]
    vetted: bool
    wards: list[UUID]


_OWN = "$2::text[]::uuid[]"
_JOINED = f"m.community_id = $1 AND m.person_id = ANY ({_OWN}) AND m.joined_on IS NOT NULL AND m.left_on IS NULL"
_READ = (
    f"SELECT ARRAY(SELECT m.team_id FROM team_member m WHERE {_JOINED}) AS teams, "  # noqa: S608
    f"ARRAY(SELECT m.team_id FROM team_member m WHERE {_JOINED} AND m.leads) AS led, "
    f"EXISTS (SELECT FROM team_member m WHERE {_JOINED} AND m.confirmed_by IS NOT NULL) "
    f"OR EXISTS (SELECT FROM person_skill k WHERE k.community_id = $1 AND k.person_id = ANY ({_OWN}) "
    "AND k.withdrawn_at IS NULL AND k.proof_seen_at IS NOT NULL "
    "AND (k.proof_until IS NULL OR k.proof_until >= $3)) AS vetted, "
    "ARRAY(SELECT g.child_id FROM guardianship g "
    "JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
    f"WHERE g.community_id = $1 AND g.guardian_id = ANY ({_OWN}) AND {in_care('$3')}) AS wards"
)


async def reader_for(scope: Scope, rows: Sequence[MatterRow]) -> Reader:
    """The caller as a reader of these matters, by two statements."""
    people = {one for row in rows for one in (row.reporter_id, row.for_person_id, *_doers(row)) if one}
    async with transaction(scope):
        found = await database.row(
            _Read, _READ, scope.community_id, database.as_texts(scope.stood_for), clock.local_day()
        )
        close = await near(signed_on(scope), people)
    assert found is not None
    return Reader(
        teams=frozenset(found.teams), led=frozenset(found.led), vetted=found.vetted, wards=frozenset(found.wards),
        close=close,
    )  # fmt: skip


async def standing_of(scope: Scope, row: MatterRow) -> Standing:
    """What the caller is to this matter."""
    return standing(scope, row, await reader_for(scope, [row]))


def _doers(row: MatterRow) -> list[UUID]:
    """Who helps with it, handles it or has finished it."""
    return [one for one in (*row.helpers, row.assignee_id, row.done_by) if one]


def standing(scope: Scope, row: MatterRow, reader: Reader) -> Standing:
    """What the caller is to a matter, from what was read: pure."""
    contact = row.unit_id is not None and row.unit_id in scope.unit_ids
    given = scope.stands_for(row.assignee_id)
    member, leads = row.team_id in reader.teams, row.team_id in reader.led
    served = [row.reporter_id, row.for_person_id]
    duty = scope.works_in(row.area_path) or scope.leads(row.area_path)
    near_served = _is_near(reader.close, served)
    to_all = row.open_to == "all" and bool(scope.stood_for)
    return Standing(
        rank=rank_of(scope, row.area_path),
        reporter=any(scope.stands_for(one) or one in reader.wards for one in served if one),
        handler=contact or leads or given,
        leads=contact or leads or (given and row.unit_id is None and row.team_id is None),
        helper=any(scope.stands_for(one) for one in row.helpers),
        eligible=contact or member or given or to_all,
        resident=bool(scope.stood_for),
        vetted=reader.vetted or contact or duty or (given and row.open_to == "assigned"),
        near_served=near_served,
        party=near_served or _is_near(reader.close, _doers(row)),
        duty=duty,
        typed=scope.person_id is not None and scope.person_id == row.entered_by,
        offered=row.status == "dispatched" and (member or given or to_all),
    )  # fmt: skip


def _is_near(close: Near, people: Sequence[UUID | None]) -> bool:
    """Whether the caller is one of these people, of their household, their guardian, or acts by another account."""
    return not close.is_uninvolved(people, people)


async def facts_of_matter(scope: Scope, row: MatterRow) -> Facts:
    """What the state machine decides by, of a matter whose row is locked or only looked at."""
    return (await facts_of_matters(scope, [row]))[0]


async def facts_of_matters(scope: Scope, rows: Sequence[MatterRow]) -> list[Facts]:
    """The same of several, by two statements."""
    rated = defaultdict[UUID, set[str]](set)
    async with transaction(scope):
        found = await database.fetch(
            "SELECT r.matter_id, r.by_kind FROM rating r JOIN matter m ON m.community_id = r.community_id "
            "AND m.id = r.matter_id AND m.reopens = r.reopening "
            "WHERE r.community_id = $1 AND r.matter_id = ANY ($2::text[]::uuid[])",
            scope.community_id, database.as_texts(row.id for row in rows),
        )  # fmt: skip
        rules = await policies(scope)
    for each in found:
        rated[UUID(bytes=each["matter_id"].bytes)].add(each["by_kind"])
    return [facts_from(row, frozenset(rated[row.id]), rules) for row in rows]


def facts_from(row: MatterRow, rated: frozenset[str], rules: Policies) -> Facts:
    """The facts of a matter, from what was read: pure."""
    return Facts(
        kind=row.kind, status=row.status, level=row.level, floor=row.floor, open_to=row.open_to, at_home=row.at_home,
        people_wanted=row.people_wanted, helpers=len(row.helpers), returns=row.returns,
        returns_max=rules.matter_returns_max, final=row.final, postponed=row.postponed_until is not None, rated=rated,
        closed_at=row.closed_at, reopen_days=rules.matter_reopen_days, due_at=row.due_at,
        first_due_at=row.first_due_at, received_at=row.received_at, now=clock.now(),
        has_unit=row.unit_id is not None, waits=REPORTS_WAIT in row.flags and row.verified is None,
    )  # fmt: skip
