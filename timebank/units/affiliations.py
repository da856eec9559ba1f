"""Reporting in: who lives or works in the community and comes from which unit, one unit at a time.

Nothing is kept of why: no post, no membership of a party. Times never overlap, so that each hour of service belongs to
at most one unit.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import notify
from timebank.units.schemas import AffiliationIn, AffiliationOut, Reported
from timebank.units.tables import Affiliation
from timebank.units.units import UnitUnknown, is_unit_of_county


class AlreadyReportedIn(TimebankError):
    code = "already_reported_in"
    status = 409
    sentence = "已经从一个单位报到了。先退出那个单位，再从新的单位报到。"
    constraint = "affiliation_one_open"


class ReportedOnWrong(TimebankError):
    code = "reported_on_wrong"
    status = 422
    sentence = "报到的日子不能晚于今天；自己报到从今天算起，以前的日子请社区登记。"


class ReportingOverlaps(TimebankError):
    code = "reporting_overlaps"
    status = 422
    sentence = "那时候还从另一个单位报着到（到 {ended} 为止）。请填那天或以后的日子。"


class CannotReportIn(TimebankError):
    code = "cannot_report_in"
    status = 422
    sentence = "已停用、已迁出的居民和未满 14 岁的孩子不能从单位报到。"


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of somebody who is to report in: the unit reported in from now, and when the last one ended."""

    status: str
    born_on: date | None
    open_id: UUID | None
    open_unit: UUID | None
    ended_on: date | None


def require_may_report(stand: Stand, since: date, today: date, *, own: bool) -> None:
    """Whether this person may report in from this day on. Raises the refusal.

    A person's own word counts from today: earlier days would lead service that was done already to the unit.
    """
    if stand.status != "active" or is_guarded(stand.born_on, today):
        raise CannotReportIn
    if stand.open_id is not None:
        raise AlreadyReportedIn
    if since > today or (own and since < today):
        raise ReportedOnWrong
    if stand.ended_on is not None and since < stand.ended_on:
        raise ReportingOverlaps(ended=stand.ended_on.isoformat())


_STAND = """
SELECT p.status, p.born_on, a.id AS open_id, a.unit_id AS open_unit, (
    SELECT max(e.ended_on) FROM affiliation e WHERE e.community_id = p.community_id AND e.person_id = p.id) AS ended_on
FROM person p LEFT JOIN affiliation a ON a.community_id = p.community_id AND a.person_id = p.id AND a.ended_on IS NULL
WHERE p.community_id = $1 AND p.id = $2
"""
_SHOWN = """
SELECT a.id, a.person_id, a.unit_id, u.name AS unit_name, a.reported_on, a.ended_on
FROM affiliation a JOIN unit u ON u.id = a.unit_id WHERE a.community_id = $1
"""


@retried
async def report_in(scope: Scope, asked: AffiliationIn) -> AffiliationOut:
    """Report a resident in from a unit: oneself, or anybody for an administrator. From the same unit again: the same.

    Raises UnitUnknown, AlreadyReportedIn, ReportedOnWrong, ReportingOverlaps and CannotReportIn.
    """
    scope.require_use("units")
    own, today = scope.stands_for(asked.person_id), clock.local_day()
    if not own:
        scope.require_admin()
    since = asked.reported_on or today
    async with transaction(scope):
        stand = await _locked(scope, asked.person_id)
        if not await is_unit_of_county(scope, asked.unit_id):
            raise UnitUnknown
        if stand.open_id is not None and stand.open_unit == asked.unit_id:
            return await _one(scope, stand.open_id)
        require_may_report(stand, since, today, own=own)
        made = clock.new_id()
        await Affiliation.insert(
            Affiliation(
                community_id=scope.community_id, id=made, person_id=asked.person_id, unit_id=asked.unit_id,
                reported_on=since, ended_on=None, entered_by=None if own else scope.actor_id, created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(
            scope, "report_in", "affiliation", made, person_id=asked.person_id, unit_id=asked.unit_id, since=since
        )
        shown = await _one(scope, made)
        if not own:
            await notify(
                scope, asked.person_id, "reported_in", f"affiliation:{made}:made", made, unit=shown.unit_name,
                since=since,
            )  # fmt: skip
        return shown


async def _locked(scope: Scope, person_id: UUID) -> Stand:
    found = await database.fetch_value(
        "SELECT id FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, person_id
    )
    if found is None:
        raise NotFound
    stand = await database.row(Stand, _STAND, scope.community_id, person_id)
    assert stand is not None  # locked
    return stand


async def _one(scope: Scope, affiliation_id: UUID) -> AffiliationOut:
    found = await database.row(AffiliationOut, f"{_SHOWN} AND a.id = $2", scope.community_id, affiliation_id)
    if found is None:
        raise NotFound
    return found


@retried
async def leave_unit(scope: Scope, affiliation_id: UUID) -> None:
    """End a reporting-in from today on: one's own, or anybody's for an administrator. Ended ones stay as they are."""
    scope.require_use("units")
    async with transaction(scope):
        person_id = (await _one(scope, affiliation_id)).person_id
        if not scope.stands_for(person_id) and not scope.administers:
            raise Forbidden if scope.reads_all else NotFound
        await _locked(scope, person_id)
        held = await _one(scope, affiliation_id)
        if held.ended_on is None:
            await Affiliation.update({Affiliation.ended_on: clock.local_day()}).where(
                (Affiliation.community_id == scope.community_id) & (Affiliation.id == affiliation_id)
            )
            await audit.record(scope, "leave_unit", "affiliation", affiliation_id, person_id=person_id)
            if not scope.stands_for(person_id):
                await notify(
                    scope, person_id, "reported_in.ended", f"affiliation:{affiliation_id}:ended", affiliation_id,
                    unit=held.unit_name,
                )  # fmt: skip


async def affiliations_of(scope: Scope, person_id: UUID) -> list[AffiliationOut]:
    """From which units the person has reported in, the newest first. The caller decides whether it may be read."""
    async with transaction(scope):
        return await database.rows(
            AffiliationOut, f"{_SHOWN} AND a.person_id = $2 ORDER BY a.reported_on DESC, a.id DESC LIMIT 100",
            scope.community_id, person_id,
        )  # fmt: skip


async def units_of_resident(scope: Scope, person_id: UUID, _reading: Reading) -> list[AffiliationOut]:
    """The same for administrators and auditors, on the resident's page in the panel."""
    scope.require_reader()
    return await affiliations_of(scope, person_id)


class _Listed(Reported, frozen=True, kw_only=True):
    created_at: datetime


@retried
async def reported_in(scope: Scope, unit_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Page[Reported]:
    """Who has reported in to the community from the unit and still does, newest first.

    For administrators, auditors and the unit's own contact, who learns the names and nothing else; the contact's look
    is audited.
    """
    scope.require_use("units")
    contact = unit_id in scope.unit_ids
    if not (scope.reads_all or contact):
        raise NotFound
    asked = Filters(scope.community_id, unit_id)
    asked.add_after("a.created_at, a.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed,
            "SELECT a.id, a.person_id, p.name, a.reported_on, a.ended_on, a.created_at FROM affiliation a "  # noqa: S608  # no input
            "JOIN person p ON p.community_id = a.community_id AND p.id = a.person_id "
            "WHERE a.community_id = $1 AND a.unit_id = $2 AND a.ended_on IS NULL AND p.merged_into IS NULL"
            f"{asked.sql} ORDER BY a.created_at DESC, a.id DESC LIMIT {most(limit + 1)}",
            *asked.values,
        )
        if not scope.reads_all:
            await audit.record(scope, "read_reported", "county_unit", unit_id)
    listed = make_page(found, limit, lambda a: (a.created_at, a.id))
    shown = [
        Reported(
            id=a.id, person_id=a.person_id if scope.reads_all else None, name=a.name, reported_on=a.reported_on,
            ended_on=a.ended_on,
        )
        for a in listed.items
    ]  # fmt: skip
    return Page(shown, listed.next)
