"""Import of deeds: many are judged and filed by a few statements, by the same rules as deeds filed by hand."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.independence import Side, is_family, side_of, sides_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.deeds.filing.caps import period_of, require_room_among
from timebank.deeds.filing.filing import DAYS_BACK_MAX, DeedDay, WitnessTooClose, WitnessUnknown, deed_worth
from timebank.deeds.schemas import BookDeed, DeedIn
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.residents import ResidentState, resident_states
from timebank.rules.catalogue import RuleNotFound, every_version
from timebank.rules.schemas import RuleOut


class Filed(msgspec.Struct, frozen=True):
    """A deed as it was filed."""

    id: UUID
    person_id: UUID
    witness_id: UUID | None
    points: int


class _Counted(msgspec.Struct, frozen=True):
    """A filed deed that counts towards a cap."""

    person_id: UUID
    area_id: UUID
    rule_code: str
    occurred_on: date


@dataclass(slots=True, kw_only=True)
class _Facts:
    """The facts by which deeds are judged. A deed that passes is added to `counted` and counts for those after it."""

    people: dict[UUID, ResidentState]
    areas: set[UUID]
    versions: dict[str, list[RuleOut]]
    own: Side
    sides: dict[UUID, Side]
    counted: list[_Counted] = field(default_factory=list)

    def judge(self, wanted: DeedIn) -> tuple[RuleOut, int, str | None]:
        """The rule and the points of a deed, and the reason where these differ from the catalogue's.

        Raises the error that forbids the deed.
        """
        if wanted.occurred_on > clock.local_day():
            raise DeedDay(first=clock.local_day() - timedelta(days=DAYS_BACK_MAX), last=clock.local_day())
        doer = self.people.get(wanted.person_id)
        if doer is None or doer.status != "active" or wanted.area_id not in self.areas:
            raise NotFound
        if doer.lacks_consent:
            raise NotGuardian
        self._require_witness(wanted)
        rule = self._rule(wanted.rule_code, wanted.occurred_on)
        points, reason = deed_worth(wanted, rule)
        self._require_room(rule, wanted)
        return rule, points, reason

    def _require_witness(self, wanted: DeedIn) -> None:
        if wanted.witness_id is None:
            return
        witness = self.people.get(wanted.witness_id)
        if witness is None or witness.status != "active":
            raise WitnessUnknown
        side = self.sides[wanted.witness_id]
        if is_family(side, self.sides[wanted.person_id]) or is_family(side, self.own):
            raise WitnessTooClose

    def _rule(self, code: str, day: date) -> RuleOut:
        """The version of the rule at the end of that day; the newest one where the rule is newer than the deed."""
        versions = self.versions.get(code, [])
        newest = versions[-1] if versions else None
        if newest is None or not newest.active or newest.kind != "deed":
            raise RuleNotFound
        end = clock.day_bounds(day)[1]
        return next((rule for rule in reversed(versions) if rule.valid_from < end), newest)

    def _require_room(self, rule: RuleOut, wanted: DeedIn) -> None:
        if rule.cap_period is not None:
            first, last = period_of(wanted.occurred_on, rule.cap_period)
            there = [one for one in self.counted if one.rule_code == rule.code and first <= one.occurred_on <= last]
            require_room_among(
                rule, wanted.occurred_on, sum(one.person_id == wanted.person_id for one in there),
                sum(one.area_id == wanted.area_id for one in there),
            )  # fmt: skip
        self.counted.append(_Counted(wanted.person_id, wanted.area_id, rule.code, wanted.occurred_on))


async def try_deeds(
    scope: Scope, wanted: Sequence[DeedIn], *, areas: Collection[UUID] = (), rules: Sequence[RuleOut] = ()
) -> list[TimebankError | None]:  # fmt: skip
    """For each deed of a trial run the error that forbids it, or None; the deeds before it count towards the caps.

    Nothing is locked or written. `areas` and `rules` are treated as if they existed already.
    """
    scope.require_admin()
    async with transaction(scope):
        facts = await _facts(scope, wanted)
    facts.areas |= set(areas)
    facts.versions |= {rule.code: [rule] for rule in rules}
    return [_refusal(facts, deed) for deed in wanted]


def _refusal(facts: _Facts, wanted: DeedIn) -> TimebankError | None:
    try:
        facts.judge(wanted)
    except TimebankError as error:
        return error
    return None


@retried
async def file_imported_deeds(scope: Scope, wanted: Sequence[BookDeed]) -> list[Filed | TimebankError]:
    """File deeds of any past day for review; return for each the filed deed or the error that forbids it.

    The caller notifies the people. The witnesses are asked only when a deed is approved, because the import may be
    undone before that.
    """
    scope.require_admin()
    if not wanted:
        return []
    async with transaction(scope):
        await _lock(scope, "person", {deed.person_id for deed in wanted})
        await _lock(scope, "area", {deed.area_id for deed in wanted})
        facts = await _facts(scope, wanted)
        answers: list[Filed | TimebankError] = []
        rows, changes = [], []
        for deed in wanted:
            try:
                rule, points, reason = facts.judge(deed)
            except TimebankError as error:
                answers.append(error)
                continue
            filed = Filed(clock.new_id(), deed.person_id, deed.witness_id, points)
            rows.append(_row(scope, filed, deed, rule, reason))
            told = {"rule": rule.code, "version": rule.version, "points": points, "person_id": deed.person_id}
            changes.append((filed.id, told))
            answers.append(filed)
        await database.insert_many("deed", _COLUMNS, rows)
        await audit.record_many(scope, "file_deed", "deed", changes)
    return answers


_COLUMNS = (
    "community_id", "id", "person_id", "area_id", "rule_code", "rule_version", "points", "points_reason", "occurred_on",
    "note", "witness_id", "filed_by", "status", "created_at", "note_said",
)  # fmt: skip


def _row(scope: Scope, filed: Filed, deed: BookDeed, rule: RuleOut, reason: str | None) -> tuple[object, ...]:
    return (
        scope.community_id, filed.id, deed.person_id, deed.area_id, rule.code, rule.version, filed.points, reason,
        deed.occurred_on, deed.note.strip(), deed.witness_id, scope.actor_id, "filed", clock.now(),
        deed.note_said.stored() if deed.note_said else None,
    )  # fmt: skip


async def _lock(scope: Scope, table: str, ids: Iterable[UUID]) -> None:
    """Lock rows in id order, so that concurrent filings cannot deadlock and each counts the deeds of the other."""
    await database.fetch(
        f"SELECT id FROM {table} WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE",  # noqa: S608  # person or area
        scope.community_id, list(ids),
    )  # fmt: skip


async def _facts(scope: Scope, wanted: Sequence[DeedIn]) -> _Facts:
    witnesses = {deed.witness_id for deed in wanted if deed.witness_id is not None}
    paired = witnesses | {deed.person_id for deed in wanted if deed.witness_id is not None}
    doers, areas = {deed.person_id for deed in wanted}, {deed.area_id for deed in wanted}
    there = await database.fetch(
        "SELECT id FROM area WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, list(areas)
    )
    versions: dict[str, list[RuleOut]] = {}
    for rule in await every_version(scope, "deed"):
        versions.setdefault(rule.code, []).append(rule)
    return _Facts(
        people=await resident_states(scope, doers | witnesses),
        areas={UUID(bytes=row["id"].bytes) for row in there}, versions=versions,
        own=await side_of(scope) if witnesses else Side(), sides=await sides_of(scope, paired),
        counted=await _counted(scope, wanted, versions),
    )  # fmt: skip


async def _counted(scope: Scope, wanted: Sequence[DeedIn], versions: dict[str, list[RuleOut]]) -> list[_Counted]:
    """The deeds of these people and areas that count towards a cap in these periods, including those under review."""
    codes = {code for code, rules in versions.items() if any(rule.cap_period for rule in rules)}
    days = [
        day
        for deed in wanted
        for rule in versions.get(deed.rule_code, [])
        if rule.cap_period is not None
        for day in period_of(deed.occurred_on, rule.cap_period)
    ]
    if not days:
        return []
    return await database.rows(
        _Counted,
        "SELECT person_id, area_id, rule_code, occurred_on FROM deed WHERE community_id = $1 "
        "AND (person_id = ANY ($2) OR area_id = ANY ($3)) AND rule_code = ANY ($4) AND occurred_on BETWEEN $5 AND $6 "
        "AND status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, list({deed.person_id for deed in wanted}), list({deed.area_id for deed in wanted}),
        list(codes), min(days), max(days),
    )  # fmt: skip
