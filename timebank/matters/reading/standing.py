"""What the caller is to a matter, and the facts that the state machine decides by."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from timebank.agreements.independence import Near, NearFacts, near_by, near_question, signed_on
from timebank.core import clock, database
from timebank.core.database import Question, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Role, Scope
from timebank.matters.checks.signs import REPORTS_WAIT
from timebank.matters.loop.deciding import Facts, Standing
from timebank.matters.reading.rows import MatterRow, row_question
from timebank.matters.schemas import LEVELS, MatterLevel
from timebank.people.guardianship.care import children_ids
from timebank.policies.values import Policies, PolicyValue, policies_from, policy_values

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

    `name` is the caller's own. `teams` are those they have joined, `led` those they lead, `vetted` whether the
    community has looked at them, `wards` the children in their care; `close` says which of the people in the matters
    are near them.
    """

    teams: frozenset[UUID] = frozenset()
    led: frozenset[UUID] = frozenset()
    vetted: bool = False
    wards: frozenset[UUID] = frozenset()
    close: Near = Near()
    name: str | None = None


class _Read(msgspec.Struct, frozen=True):
    teams: list[UUID]
    led: list[UUID]
    vetted: bool
    wards: list[UUID]
    name: str | None


class _Rated(msgspec.Struct, frozen=True):
    matter_id: UUID
    by_kind: str
    solved: bool


_OWN = "$2::text[]::uuid[]"
_JOINED = f"m.community_id = $1 AND m.person_id = ANY ({_OWN}) AND m.joined_on IS NOT NULL AND m.left_on IS NULL"
_READ = (
    f"SELECT ARRAY(SELECT m.team_id FROM team_member m WHERE {_JOINED}) AS teams, "  # noqa: S608
    f"ARRAY(SELECT m.team_id FROM team_member m WHERE {_JOINED} AND m.leads) AS led, "
    f"EXISTS (SELECT FROM team_member m WHERE {_JOINED} AND m.confirmed_by IS NOT NULL) "
    f"OR EXISTS (SELECT FROM person_skill k WHERE k.community_id = $1 AND k.person_id = ANY ({_OWN}) "
    "AND k.withdrawn_at IS NULL AND k.proof_seen_at IS NOT NULL "
    "AND (k.proof_until IS NULL OR k.proof_until >= $3)) AS vetted, "
    f"ARRAY({children_ids('$1', _OWN, '$3')}) AS wards, "
    "(SELECT name FROM person WHERE community_id = $1 AND id = $4) AS name"
)
_RATED = (
    "SELECT r.matter_id, r.by_kind, r.solved FROM rating r JOIN matter m ON m.community_id = r.community_id "
    "AND m.id = r.matter_id AND m.reopens = r.reopening WHERE r.community_id = $1 "
    "AND r.matter_id = ANY ($2::text[]::uuid[])"
)
_PEOPLE = (
    "(SELECT array_remove(matter_people($1, $5) || m.done_by, NULL) FROM matter m "
    "WHERE m.community_id = $1 AND m.id = $5)"
)


class _ReadOfMatters(msgspec.Struct, frozen=True, kw_only=True):
    caller: _Read
    close: NearFacts
    rated: list[_Rated]
    chosen: list[PolicyValue]


class _ReadOfMatter(_ReadOfMatters, frozen=True, kw_only=True):
    row: MatterRow | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read at once of some matters: the caller as their reader, the ratings, and the policies.

    `rated`: by matter, who has rated its last finish and whether they said that it is solved.
    """

    reader: Reader
    rated: Mapping[UUID, Mapping[str, bool]]
    rules: Policies

    def standing(self, scope: Scope, row: MatterRow) -> Standing:
        """What the caller is to this matter."""
        return standing(scope, row, self.reader)

    def facts(self, row: MatterRow) -> Facts:
        """What the state machine decides by."""
        return facts_from(row, frozenset(self.rated.get(row.id, ())), self.rules)

    def solved(self, row: MatterRow) -> bool:
        """Whether who was served has said that the last finish solved it."""
        return self.rated.get(row.id, {}).get("resident", False)

    def unrated(self, row: MatterRow) -> "Known":
        """The same once the matter is opened again: its next finish has no rating."""
        return msgspec.structs.replace(self, rated={**self.rated, row.id: {}})

    def with_rating(self, row: MatterRow, rater: str, *, solved: bool) -> "Known":
        """The same once this rating is written."""
        mine = {**self.rated.get(row.id, {}), rater: solved}
        return msgspec.structs.replace(self, rated={**self.rated, row.id: mine})


async def read_matter_known(scope: Scope, matter_id: UUID, about: Collection[UUID] = ()) -> tuple[MatterRow, Known]:
    """A matter and all that is decided by, in one statement; `about` are residents who may come to handle it.

    Raises NotFound. It checks no permission.
    """
    caller = signed_on(scope)
    async with transaction(scope):
        found = await database.read(
            _ReadOfMatter, row=row_question(scope, matter_id), **_questions(scope, [matter_id]),
            close=near_question(caller, {*about, *scope.own_ids}, further=_PEOPLE, about=matter_id),
        )  # fmt: skip
    if found.row is None:
        raise NotFound
    return found.row, _known(found, caller)


async def known_of(scope: Scope, rows: Sequence[MatterRow]) -> Known:
    """The same of several matters whose rows were read."""
    caller = signed_on(scope)
    people = {one for row in rows for one in (row.reporter_id, row.for_person_id, *_doers(row)) if one}
    async with transaction(scope):
        found = await database.read(
            _ReadOfMatters, **_questions(scope, [row.id for row in rows]), close=near_question(caller, people)
        )  # fmt: skip
    return _known(found, caller)


def _questions(scope: Scope, matter_ids: Collection[UUID]) -> dict[str, Question]:
    own = database.as_texts(scope.stood_for)
    return {
        "caller": database.one(_READ, scope.community_id, own, clock.local_day(), scope.person_id),
        "rated": database.many(_RATED, scope.community_id, database.as_texts(matter_ids)),
        "chosen": policy_values(scope),
    }


def _known(found: _ReadOfMatters, caller: Scope) -> Known:
    rated = defaultdict[UUID, dict[str, bool]](dict)
    for each in found.rated:
        rated[each.matter_id][each.by_kind] = each.solved
    read = found.caller
    return Known(
        reader=Reader(
            teams=frozenset(read.teams), led=frozenset(read.led), vetted=read.vetted, wards=frozenset(read.wards),
            close=near_by(caller, found.close), name=read.name,
        ),
        rated=rated,
        rules=policies_from(found.chosen),
    )  # fmt: skip


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
        rank_there=_rank_at_best(scope, row),
    )  # fmt: skip


def _rank_at_best(scope: Scope, row: MatterRow) -> int:
    """The caller's rank at the place in the community that suits them best."""
    led = [grant.area_id for grant in scope.here() if grant.role == Role.grid_head and grant.area_id]
    return rank_of(scope, [*row.area_path, *led])


def corrects_to(scope: Scope, row: MatterRow, caller: Standing, path: Sequence[UUID]) -> Standing:
    """The same caller, who says that the matter is in the area with this path: pure."""
    on_duty = {grant.area_id for grant in scope.here() if grant.role in (Role.grid_worker, Role.grid_head)}
    leaves = path[0] != row.area_path[0]
    gives_away = leaves and not on_duty.isdisjoint(row.area_path) and on_duty.isdisjoint(path)
    return msgspec.structs.replace(
        caller, rank_there=rank_of(scope, path), leaves_grid=leaves, gives_away=gives_away
    )  # fmt: skip


def _is_near(close: Near, people: Sequence[UUID | None]) -> bool:
    """Whether the caller is one of these people, of their household, their guardian, or acts by another account."""
    return not close.is_uninvolved(people, people)


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
