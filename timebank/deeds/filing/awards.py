"""Awards: deeds that follow from something that a person has confirmed. A community chooses what earns by its rules.

The confirmer is the second pair of eyes, so that such a deed goes to the public board without a review; the caps, the
board, objections and the reversal are those of every deed. Call these verbs inside the transaction that confirms, or
takes back, the source; who may do that is checked there.
"""

from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from timebank.access.roles.paid import paid_question
from timebank.agreements.independence import NearFacts, are_two_people_by, near_question
from timebank.agreements.proposing import end_waiting_change
from timebank.core import audit, clock, database
from timebank.core.database import Question
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.deeds.credit import take_back
from timebank.deeds.filing.caps import CapReached, Taken, require_room_among, room_question
from timebank.deeds.filing.filing import last_moment_of, lock_doer, lock_place
from timebank.deeds.reading import lock_deed
from timebank.deeds.review import DEED_POINTS, approved_question
from timebank.deeds.schemas import Deed
from timebank.deeds.tables import Deed as DeedTable
from timebank.objections.deciding import end_objections
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.locks import lock_people
from timebank.people.messages import notify
from timebank.policies.values import PolicyValue, policies_from, policy_values
from timebank.rules.catalogue import RuleNotFound, rule_of_day_question
from timebank.rules.schemas import RuleOut, Trigger
from timebank.rules.source_row import SourceRow
from timebank.rules.triggers import code_of_trigger

Why = Literal["no_rule", "gone", "guarded", "twice", "paid", "capped", "family", "many_points"]


class Awarded(msgspec.Struct, frozen=True):
    """The deed that was filed, or None, and why there is none; with both, why the deed waits for a review.

    `no_rule`: no active rule has the trigger. `gone`: no active resident, or no such place. `guarded`: a child without
    a guardian's consent. `twice`: awarded before, also where that deed was taken back. `paid`: a paid role on that day.
    `capped`: the rule's cap is reached. `family`: the confirmer is no second person. `many_points`: more than one
    person may approve for a day.
    """

    deed_id: UUID | None
    why: Why | None


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    person_id: UUID
    trigger: Trigger
    source: SourceRow
    area_id: UUID
    on: date
    note: str
    confirmed_by: UUID | None
    once: bool


async def award(
    scope: Scope, person_id: UUID, trigger: Trigger, source: SourceRow, *, area_id: UUID, on: date, note: str,
    confirmed_by: UUID | None, once: bool = False,
) -> Awarded:  # fmt: skip
    """File the deed that a confirmed row earns the person, if any; the outcome is kept in the audit of the source.

    `once`: whatever deed the source has brought the person before was the only one, wherever it is said to be since.

    It never refuses, so that whatever is confirmed stays confirmed. `confirmed_by` None: nobody has looked yet. The
    person's row is locked, then the area's; a caller who awards several people locks them first with `lock_people`.
    """
    wanted = _Wanted(
        person_id=person_id, trigger=trigger, source=source, area_id=area_id, on=min(on, clock.local_day()),
        note=note.strip(), confirmed_by=confirmed_by, once=once,
    )  # fmt: skip
    awarded = await _award(scope, wanted)
    await audit.record(
        scope, "award_deed", source.kind, source.id, trigger=trigger, person_id=person_id, deed_id=awarded.deed_id,
        why=awarded.why,
    )  # fmt: skip
    if awarded.deed_id is not None:
        await database.flush()  # the caller reads it
    return awarded


async def _award(scope: Scope, wanted: _Wanted) -> Awarded:
    code = await code_of_trigger(scope, wanted.trigger)
    if code is None:
        return Awarded(None, "no_rule")
    try:
        await lock_doer(scope, wanted.person_id)
        await lock_place(scope, wanted.area_id)
    except NotFound:
        return Awarded(None, "gone")
    except NotGuardian:
        return Awarded(None, "guarded")
    facts = await _read_facts(scope, wanted, code)
    if why := _why_none(wanted, facts):
        return Awarded(None, why)
    why = _why_reviewed(scope, wanted, facts)
    return Awarded(await _file(scope, wanted, facts, why), why)


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about an award, read at once under the locks of the person and the area.

    `awarded`: the source has brought the person a deed already. `rule` is the version of the day, `taken` fills its
    caps, `approved` are the points of the person's approved deeds of the day.
    """

    usable: RuleOut | None
    rule: RuleOut | None
    awarded: bool
    paid: bool
    taken: Taken
    near: NearFacts
    approved: int
    chosen: list[PolicyValue]

    def rule_in_force(self) -> RuleOut:
        """The rule by which it is filed. Raises RuleNotFound where new deeds may not use it."""
        if self.usable is None or self.rule is None or not self.usable.active or self.usable.kind != "deed":
            raise RuleNotFound
        return self.rule


async def _read_facts(scope: Scope, wanted: _Wanted, code: str) -> _Facts:
    person_id, on = wanted.person_id, wanted.on
    last = min(clock.now(), last_moment_of(on))
    return await database.read(
        _Facts, usable=rule_of_day_question(scope, code, clock.now()), rule=rule_of_day_question(scope, code, last),
        awarded=_awarded_question(scope, wanted), paid=paid_question(scope, person_id, on),
        taken=room_question(scope, code, last, person_id, wanted.area_id, on),
        near=near_question(scope, [wanted.confirmed_by, person_id]), approved=approved_question(scope, person_id, on),
        chosen=policy_values(scope),
    )  # fmt: skip


def _awarded_question(scope: Scope, wanted: _Wanted) -> Question:
    """Whether the source has brought the person a deed: any, or of this place by a rule that has or had the trigger."""
    return database.value(
        "SELECT EXISTS (SELECT FROM deed d WHERE d.community_id = $1 AND d.source_kind = $2 AND d.source_id = $3 "
        "AND d.person_id = $4 AND ($7 OR d.area_id = $5 AND EXISTS (SELECT FROM rule r WHERE r.community_id = $1 "
        "AND r.code = d.rule_code AND r.trigger = $6)))",
        scope.community_id, wanted.source.kind, wanted.source.id, wanted.person_id, wanted.area_id, wanted.trigger,
        wanted.once,
    )  # fmt: skip


def _why_none(wanted: _Wanted, facts: _Facts) -> Why | None:
    """Why there is no deed: pure. Raises RuleNotFound."""
    if facts.awarded:
        return "twice"
    if facts.paid:
        return "paid"
    rule = facts.rule_in_force()
    try:
        if rule.cap_period is not None:
            require_room_among(rule, wanted.on, facts.taken.person, facts.taken.area)
    except CapReached:
        return "capped"
    return None


def _why_reviewed(scope: Scope, wanted: _Wanted, facts: _Facts) -> Why | None:
    """Why the deed first waits for a review by somebody else; None where the confirmer is enough: pure."""
    points = facts.rule_in_force().points
    assert points is not None
    by = wanted.confirmed_by
    if by is None or not are_two_people_by(scope, by, wanted.person_id, facts.near):
        return "family"
    if points + facts.approved > policies_from(facts.chosen).second_person_points:
        return "many_points"
    return None


async def _file(scope: Scope, wanted: _Wanted, facts: _Facts, why: Why | None) -> UUID:
    """Write the deed: published with the confirmer as its reviewer, or filed by the confirmer for another reviewer."""
    rule = facts.rule_in_force()
    assert rule.points is not None
    deed_id, now, published = clock.new_id(), clock.now(), why is None
    days = policies_from(facts.chosen).notice_days if rule.notice_days is None else rule.notice_days
    database.queue(
        database.insert(
            DeedTable(
                community_id=scope.community_id, id=deed_id, person_id=wanted.person_id, area_id=wanted.area_id,
                rule_code=rule.code, rule_version=rule.version, points=rule.points, points_reason=None,
                occurred_on=wanted.on, note=wanted.note, witness_id=None,
                filed_by=None if published else wanted.confirmed_by, status="noticed" if published else "filed",
                reviewed_by=wanted.confirmed_by if published else None, reviewed_at=now if published else None,
                review_note=None, notice_from=now if published else None,
                notice_until=now + timedelta(days=days) if published else None, entry_id=None, created_at=now,
                withdrawn_at=None, withdrawn_by=None, witness_answer=None, witness_note=None, witness_answered_at=None,
                witness_asked_by=None, source_kind=wanted.source.kind, source_id=wanted.source.id,
            )
        )
    )  # fmt: skip
    kind = "deed_filed.awarded" if published else "deed_filed.awarded_to_review"
    await notify(
        scope, wanted.person_id, kind, f"deed:{deed_id}:filed", deed_id,
        rule=rule.name, day=wanted.on, points=rule.points,
    )  # fmt: skip
    return deed_id


class _Brought(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID


async def undo(scope: Scope, source: SourceRow, reason: str) -> int:
    """Take back what a source has brought: deeds that are not credited are rejected, credited ones reversed.

    The people are notified of the reason; open objections are upheld. Returns how many deeds were taken back. The
    caller holds the source's row lock, so that no award comes in between.
    """
    brought = await database.rows(
        _Brought,
        "SELECT id, person_id FROM deed WHERE community_id = $1 AND source_kind = $2 AND source_id = $3 "
        "AND status IN ('filed', 'noticed', 'objected', 'credited') ORDER BY id",
        scope.community_id, source.kind, source.id,
    )  # fmt: skip
    await lock_people(scope, [each.person_id for each in brought])
    taken = 0
    for each in brought:
        deed = await lock_deed(scope, each.id)
        if deed.status == "credited":
            await take_back(scope, deed, reason)
        elif deed.status in ("filed", "noticed", "objected"):
            await _reject(scope, deed, reason)
        else:
            continue
        taken += 1
    return taken


async def _reject(scope: Scope, deed: Deed, reason: str) -> None:
    await DeedTable.update({DeedTable.status: "rejected", DeedTable.review_note: reason}).where(
        (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
    )
    await end_waiting_change(scope, DEED_POINTS, str(deed.id))
    await audit.record(scope, "undo_award", "deed", deed.id, reason=reason, about_id=deed.person_id)
    await notify(
        scope, deed.person_id, "deed_rejected.undone", f"deed:{deed.id}:rejected", deed.id,
        rule=deed.rule, day=deed.occurred_on, reason=reason,
    )  # fmt: skip
    await end_objections(scope, "deed", deed.id, reason)
