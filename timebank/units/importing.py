"""Reporting many people in at once, from a list that a unit or the community has written; and taking it back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.locks import lock_people
from timebank.people.messages import Notification, notify_many
from timebank.units.affiliations import Stand, require_may_report
from timebank.units.units import UnitUnknown, unit_names, units_in_use


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a list, and since when they have reported in from which unit."""

    id: UUID
    person_id: UUID
    unit_id: UUID
    since: date


class _StandOf(Stand, frozen=True, kw_only=True):
    id: UUID


_STANDS = """
SELECT p.id, p.status, p.born_on, a.id AS open_id, a.unit_id AS open_unit, (
    SELECT max(e.ended_on) FROM affiliation e WHERE e.community_id = p.community_id AND e.person_id = p.id) AS ended_on
FROM person p LEFT JOIN affiliation a ON a.community_id = p.community_id AND a.person_id = p.id AND a.ended_on IS NULL
WHERE p.community_id = $1 AND p.id = ANY ($2)
"""


async def stands_of(scope: Scope, person_ids: Collection[UUID]) -> dict[UUID, Stand]:
    """From where each of these residents has reported in, all by one statement."""
    async with transaction(scope):
        found = await database.rows(_StandOf, _STANDS, scope.community_id, list(person_ids))
    return {one.id: one for one in found}


@retried
async def report_in_many(scope: Scope, listed: Sequence[Listed]) -> list[Listed | TimebankError | None]:
    """Report these people in, for an administrator; a few statements for all.

    The answers are in their order: what was written, None where the person has reported in from this unit already, or
    why it was refused. One's own record counts from today, as by hand.
    """
    scope.require_admin()
    today = clock.local_day()
    async with transaction(scope):
        await lock_people(scope, {one.person_id for one in listed})
        stands = await stands_of(scope, {one.person_id for one in listed})
        known = await units_in_use(scope, {one.unit_id for one in listed})
        answers = [_answer(scope, one, stands, known, today) for one in listed]
        await _insert(scope, [one for one in answers if isinstance(one, Listed)])
    return answers


def _answer(
    scope: Scope, one: Listed, stands: dict[UUID, Stand], known: Collection[UUID], today: date
) -> Listed | TimebankError | None:
    stand = stands.get(one.person_id)
    if stand is None:
        return NotFound()
    if one.unit_id not in known:
        return UnitUnknown()
    if stand.open_unit == one.unit_id:
        return None
    try:
        require_may_report(stand, one.since, today, own=scope.stands_for(one.person_id))
    except TimebankError as refusal:
        return refusal
    stands[one.person_id] = msgspec.structs.replace(stand, open_id=one.id, open_unit=one.unit_id)
    return one


async def _insert(scope: Scope, made: Sequence[Listed]) -> None:
    now = clock.now()
    await database.insert_many(
        "affiliation",
        ("community_id", "id", "person_id", "unit_id", "reported_on", "entered_by", "created_at"),
        [
            (scope.community_id, one.id, one.person_id, one.unit_id, one.since,
             None if scope.stands_for(one.person_id) else scope.actor_id, now)
            for one in made
        ],
    )  # fmt: skip
    done = [(one.id, {"person_id": one.person_id, "unit_id": one.unit_id, "since": one.since}) for one in made]
    await audit.record_many(scope, "report_in", "affiliation", done)


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    person_id: UUID
    unit_id: UUID
    reported_on: date


async def _named(scope: Scope, affiliation_ids: Sequence[UUID]) -> tuple[list[_Named], Mapping[UUID, str]]:
    found = await database.rows(
        _Named, "SELECT id, person_id, unit_id, reported_on FROM affiliation WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(affiliation_ids),
    )  # fmt: skip
    others = [one for one in found if not scope.stands_for(one.person_id)]
    return others, await unit_names(scope, sorted({one.unit_id for one in others}))


@retried
async def notify_reported(scope: Scope, affiliation_ids: Sequence[UUID], import_id: UUID) -> None:
    """Notify each of these people from which unit the list says that they come, as when it is entered by hand."""
    async with transaction(scope):
        named, names = await _named(scope, affiliation_ids)
        to_send = [
            Notification(
                one.person_id, phrase("reported_in", unit=names[one.unit_id], since=one.reported_on),
                f"affiliation:{one.id}:made", one.id,
            )
            for one in named
        ]  # fmt: skip
        await notify_many(scope, to_send, import_id=import_id)


@retried
async def withdraw_reported(
    scope: Scope, import_id: UUID, affiliation_ids: Sequence[UUID], *, leaving: Collection[UUID] = ()
) -> int:
    """Remove what an import has reported in, and notify those who stay; return how many. Ended ones stay."""
    scope.require_admin()
    async with transaction(scope):
        named, names = await _named(scope, affiliation_ids)
        gone = {
            UUID(bytes=row[0].bytes)
            for row in await database.fetch(
                "SELECT * FROM forget_imported_affiliations($1, $2, $3)",
                scope.community_id, import_id, list(affiliation_ids),
            )
        }  # fmt: skip
        to_send = [
            Notification(
                one.person_id, phrase("reported_in.ended", unit=names[one.unit_id]), f"affiliation:{one.id}:ended"
            )
            for one in named
            if one.id in gone and one.person_id not in leaving
        ]
        await notify_many(scope, to_send, import_id=import_id)
        await audit.record(scope, "withdraw_reported", "affiliation", None, withdrawn=len(gone))
    return len(gone)
