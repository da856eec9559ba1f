"""Requests at the counters that wait for a second person: who may decide each of them, and notifying these."""

from datetime import datetime
from uuid import UUID

from timebank.agreements.deciders import Decider
from timebank.core import database, names
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import Forbidden
from timebank.core.paging import NEWEST, Count, Order, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, notify_many
from timebank.shop.confirmations.asking import ConfirmationOut, waits_since
from timebank.shop.confirmations.second_person import Parties, SecondPerson, Waits, second_persons

PAGE = 50
NOTIFIED_MAX = 1_000

_LINES = """
SELECT o.id, o.kind, o.status, p.name AS person, o.station_id, t.name AS station, g.name AS good, g.unit, o.quantity,
       o.redemption_id, a.name AS asked_by, o.asked_at, d.name AS decided_by, o.decided_at, o.person_id,
       o.asked_by AS asked_by_id, o.asked_by_login
FROM counter_confirmation o
JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id
JOIN station t ON t.community_id = o.community_id AND t.id = o.station_id
JOIN good g ON g.community_id = o.community_id AND g.id = o.good_id
LEFT JOIN person a ON a.community_id = o.community_id AND a.id = o.asked_by
LEFT JOIN person d ON d.community_id = o.community_id AND d.id = o.decided_by
WHERE o.community_id = $1
"""
_WAITS = "o.status = 'waiting' AND o.asked_at >= {}"
_PLACE = "(o.status = 'waiting'), o.asked_at, o.id"


class _Line(ConfirmationOut, frozen=True, kw_only=True):
    """A request with the ids of the people whom it concerns."""

    person_id: UUID
    asked_by_id: UUID | None
    asked_by_login: UUID | None

    @property
    def about(self) -> Parties:
        return Parties(self.person_id, self.asked_by_id, self.asked_by_login)

    @property
    def waits(self) -> Waits:
        return Waits(self.id, self.station_id, self.about)

    def notification_for(self, officer: Decider) -> Notification:
        says = phrase(
            "confirmation_waits", station=self.station, person=names.masked(self.person), good=self.good,
            quantity=self.quantity, unit=self.unit,
        )  # fmt: skip
        return Notification(officer.person_id, says, f"confirmation:{self.id}:waits")


async def _lines(
    scope: Scope, stations: list[UUID] | None = None, *, since: datetime | None = None,
    confirmation_id: UUID | None = None, order: Order = NEWEST, cursor: str | None = None, limit: int = NOTIFIED_MAX,
) -> list[_Line]:  # fmt: skip
    """The requests that wait today or were decided since a moment: of all stations, of some, or a single request.

    Those that wait come first; with the oldest first only they are asked for.
    """
    asked = Filters(scope.community_id)
    asked.add_given("o.id = {}", confirmation_id)
    asked.add_given("o.station_id = ANY ({})", stations)
    if since is None:
        asked.add(_WAITS, waits_since())
    else:
        asked.add(f"({_WAITS} OR o.decided_at > {{}})", waits_since(), since)
    asked.add_after(_PLACE, order.comparison, read_cursor(cursor, tuple[bool, datetime, UUID]))
    by = ", ".join(f"{column} {order.direction}" for column in _PLACE.split(", "))
    return await database.rows(_Line, f"{_LINES}{asked.sql} ORDER BY {by} LIMIT {most(limit)}", *asked.values)


def _place(line: _Line) -> tuple[object, ...]:
    return (line.status == "waiting", line.asked_at, line.id)


async def list_confirmations(
    scope: Scope, *, since: datetime | None = None, order: Order = NEWEST, limit: int = PAGE,
    cursor: str | None = None, language: str = "zh",
) -> Page[ConfirmationOut]:  # fmt: skip
    """Requests that wait today or were decided since a moment: all for administrators and auditors, else own stations.

    Raises Forbidden for a caller who is neither and keeps no station.
    """
    if not (scope.reads_all or scope.kept_stations):
        raise Forbidden
    async with transaction(scope):
        shown = make_page(
            await _lines(scope, _stations(scope), since=since, order=order, cursor=cursor, limit=limit + 1),
            limit, _place,
        )  # fmt: skip
        found = shown.items
        named = await second_persons(scope, [line.waits for line in found if line.status == "waiting"])
        judged = await SecondPerson.of(scope, [line.about for line in found])
    return Page(
        [
            _in_words(
                line, [officer.in_words(language) for officer in named.get(line.id, ())],
                may_decide=line.status == "waiting" and judged.may_decide(line.about),
            )
            for line in found
        ],
        shown.next,
    )  # fmt: skip


async def count_waiting_confirmations(scope: Scope) -> Count:
    """How many requests wait today, for whoever may list them; counted no further than a list says."""
    asked = Filters(scope.community_id)
    asked.add_given("o.station_id = ANY ({})", _stations(scope))
    asked.add(_WAITS, waits_since())
    async with transaction(scope):
        return await database.count_rows(
            f"SELECT FROM counter_confirmation o WHERE o.community_id = $1{asked.sql}", *asked.values
        )


def _stations(scope: Scope) -> list[UUID] | None:
    """The stations whose requests the caller sees; None for all."""
    return None if scope.reads_all else list(scope.kept_stations)


def _in_words(line: _Line, who: list[str], *, may_decide: bool) -> ConfirmationOut:
    shown = {name: getattr(line, name) for name in ConfirmationOut.__struct_fields__}
    return ConfirmationOut(**shown | {"who": who, "may_decide": may_decide})


async def notify_second_persons(scope: Scope) -> int:
    """Notify everybody who may decide a request that waits today, once per request. For the system.

    Returns the number of notifications that are due, including those sent before.
    """
    async with transaction(scope):
        waiting = await _lines(scope)
        named = await second_persons(scope, [line.waits for line in waiting])
    for line in waiting:
        for officer in named[line.id]:
            await notify_many(Scope.of_system(officer.home_id), [line.notification_for(officer)], urgent=True)
    return sum(len(found) for found in named.values())


async def notify_second_persons_here(scope: Scope, confirmation_id: UUID) -> None:
    """Notify at once those of this community who may decide, because the person waits at the counter.

    The worker notifies those from other communities.
    """
    [line] = await _lines(scope, confirmation_id=confirmation_id)
    named = (await second_persons(scope, [line.waits]))[line.id]
    here = [line.notification_for(officer) for officer in named if officer.home_id == scope.community_id]
    await notify_many(scope, here, urgent=True)
