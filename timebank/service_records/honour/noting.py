"""Honour hours that follow from something that a person has confirmed, such as an errand for a neighbour.

Nothing is credited silently: such a record waits for a review like one that was typed, and its confirmer, who stands
for whoever entered it, does not review it. Call this inside the transaction that confirms the source.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from piccolo.columns import Column

from timebank.access.roles.paid import is_paid_on
from timebank.agreements.independence import are_two_people
from timebank.core import audit, clock, database
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import notify
from timebank.policies.values import policies
from timebank.presence.scans.facts import has_consent, lock_person
from timebank.rules.source_row import SourceRow
from timebank.service_records.crediting.credit import Served, rule_code_of
from timebank.service_records.crediting.reversal import take_credit_back
from timebank.service_records.facts import flags_of_entered_hours
from timebank.service_records.honour.entering import require_activity, require_times
from timebank.service_records.honour.notices import notify_hours_noted
from timebank.service_records.judging import whole_minutes
from timebank.service_records.records import insert_record
from timebank.service_records.reviews.deciding import ROW, DecidedRow
from timebank.service_records.tables import ServiceRecord


class Noted(msgspec.Struct, frozen=True):
    """The record that was written, or None and why there is none.

    `gone`: no active resident. `guarded`: a child without a guardian's consent. `twice`: the source has brought the
    person a record before, also one that was rejected. `paid`: the person held a paid role on a day of the hours.
    """

    record_id: UUID | None
    why: Literal["gone", "guarded", "twice", "paid"] | None


async def note_service(
    scope: Scope, person_id: UUID, started_at: datetime, ended_at: datetime, source: SourceRow,
    activity_id: UUID | None, confirmed_by: UUID, flags: Sequence[str] = (),
) -> Noted:  # fmt: skip
    """Write the hours that a confirmed row earns the person, pending; the outcome is kept in the audit of the source.

    `flags`: what the source gives the reviewer to think about.

    Checks no permission: whoever may confirm the source may. The person's row is locked. Raises HoursTimes,
    HoursPlaceUnknown.
    """
    require_times(started_at, ended_at)
    await require_activity(scope, activity_id)
    why = await _why_not(scope, person_id, started_at, ended_at, source)
    record_id = None
    if why is None:
        record_id = await _write(scope, person_id, started_at, ended_at, source, activity_id, confirmed_by, flags)
    await audit.record(
        scope, "note_service", source.kind, source.id, person_id=person_id, record_id=record_id, why=why
    )  # fmt: skip
    return Noted(record_id, why)


async def undo_noted(scope: Scope, source: SourceRow, reason: str) -> int:
    """Take back the hours that a source has brought; return how many records were taken back.

    What waits is withdrawn, what is credited reversed, and the people are notified of the reason. Checks no permission.
    The caller holds the source's row lock and those of the people.
    """
    await database.flush()
    found = await database.fetch(
        "SELECT id FROM service_record WHERE community_id = $1 AND source_kind = $2 AND source_id = $3 "
        "AND status IN ('pending', 'noticed', 'approved') ORDER BY id FOR NO KEY UPDATE",
        scope.community_id, source.kind, source.id,
    )  # fmt: skip
    for each in found:
        row = await database.row(DecidedRow, ROW, scope.community_id, UUID(bytes=each["id"].bytes))
        assert row is not None
        credited = row.status == "approved"
        memo = phrase("entry.service_anywhere_reversed", reason=reason)
        taken = await take_credit_back(scope, row, memo) if credited else [phrase("taken.nothing")]
        now = clock.now()
        changes: dict[Column | str, Any] = {
            ServiceRecord.status: "reversed" if credited else "rejected", ServiceRecord.reviewed_by: scope.person_id,
            ServiceRecord.reviewed_at: now, ServiceRecord.review_note: reason,
        }  # fmt: skip
        await ServiceRecord.update(changes).where(
            (ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id)
        )
        await audit.record(scope, "undo_noted", "service_record", row.id, reason=reason, about_id=row.person_id)
        await notify(
            scope, row.person_id, "record_reversed", f"service:{row.id}:undone", row.id,
            at=row.started_at, where=row.where, taken=taken, reason=reason,
        )  # fmt: skip
    return len(found)


async def _why_not(
    scope: Scope, person_id: UUID, started_at: datetime, ended_at: datetime, source: SourceRow
) -> Literal["gone", "guarded", "twice", "paid"] | None:
    """Lock the person's row; return why the hours are not written, or None where they are."""
    person = await lock_person(scope, person_id)
    if person is None or person.status != "active":
        return "gone"
    if not await has_consent(scope, person, clock.now()):
        return "guarded"
    await database.flush()  # records that this transaction has written already
    noted: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM service_record WHERE community_id = $1 AND source_kind = $2 AND source_id = $3 "
        "AND person_id = $4)",
        scope.community_id, source.kind, source.id, person_id,
    )  # fmt: skip
    if noted:
        return "twice"
    days = {clock.local_day(started_at), clock.local_day(ended_at - timedelta(microseconds=1))}
    return "paid" if any([await is_paid_on(scope, person_id, day) for day in sorted(days)]) else None


async def _write(
    scope: Scope, person_id: UUID, started_at: datetime, ended_at: datetime, source: SourceRow,
    activity_id: UUID | None, confirmed_by: UUID, noticed: Sequence[str],
) -> UUID:  # fmt: skip
    """Insert the pending record with its flags and notify the person; return its id."""
    served = Served(
        id=clock.new_id(), kind="honour", person_id=person_id, started_at=started_at, ended_at=ended_at,
        minutes=whole_minutes(ended_at - started_at), rule_code=await rule_code_of(scope, activity_id), place="",
        day=clock.local_day(started_at),
    )  # fmt: skip
    flags = [*await flags_of_entered_hours(scope, served, await policies(scope)), *noticed]
    if not await are_two_people(scope, confirmed_by, person_id):
        flags.append("confirmed_by_family")
    await insert_record(
        scope, served, status="pending", flags=flags, activity_id=activity_id, entered_by=confirmed_by, source=source
    )
    await notify_hours_noted(scope, served)
    return served.id
