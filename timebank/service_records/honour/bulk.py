"""Import of honour hours: many are entered by a few statements, and judged like those entered by hand."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.policies.values import Policies, policies
from timebank.service_records.facts import AROUND, counts_on, is_long_ago
from timebank.service_records.judging import Other, Span, TimeFacts, time_flags


class HoursEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The hours in one row of an import."""

    id: UUID
    person_id: UUID
    started_at: datetime
    ended_at: datetime
    minutes: int
    rule_code: str
    activity_id: UUID | None
    station_id: UUID | None
    reason: str | None
    said: Phrase

    @property
    def span(self) -> Span:
        return Span(self.started_at, self.ended_at)


class RecordedTime(msgspec.Struct, frozen=True):
    """The time of a record that a person has already."""

    started_at: datetime
    ended_at: datetime


_COLUMNS = (
    "community_id", "id", "kind", "person_id", "activity_id", "station_id", "started_at", "ended_at", "minutes",
    "status", "flags", "reason", "entered_by", "rule_code", "created_at", "counts_on", "reason_said",
)  # fmt: skip


@retried
async def enter_imported_hours(scope: Scope, entries: Sequence[HoursEntry]) -> None:
    """Enter honour hours, each with its flags; they wait for their review. The caller notifies the people."""
    scope.require_admin()
    if not entries:
        return
    async with transaction(scope):
        flags = await _flags(scope, entries, await policies(scope))
        now = clock.now()
        rows = [
            (scope.community_id, one.id, "honour", one.person_id, one.activity_id, one.station_id, one.started_at,
             one.ended_at, one.minutes, "pending", doubts, one.reason, scope.actor_id, one.rule_code, now,
             counts_on(one.started_at, clock.local_day(one.started_at)), one.said.stored())
            for one, doubts in zip(entries, flags, strict=True)
        ]  # fmt: skip
        await database.insert_many("service_record", _COLUMNS, rows)
        changes = [
            (
                one.id,
                {
                    "kind": "honour",
                    "status": "pending",
                    "flags": doubts,
                    "minutes": one.minutes,
                    "person_id": one.person_id,
                },
            )
            for one, doubts in zip(entries, flags, strict=True)
        ]
        await audit.record_many(scope, "record_service", "service_record", changes)


async def overlapping_records(scope: Scope, spans: Sequence[tuple[UUID, Span]]) -> list[list[RecordedTime]]:
    """For each person and time, the counting records of the person that overlap it, earliest first."""
    found = await database.fetch(
        "SELECT w.n, r.started_at, r.ended_at FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) "
        "WITH ORDINALITY AS w (person_id, begins, ends, n) "
        "JOIN service_record r ON r.community_id = $1 AND r.person_id = w.person_id AND r.started_at < w.ends "
        "AND r.started_at > w.begins - $5::interval AND r.ended_at > w.begins "
        "AND r.status NOT IN ('rejected', 'reversed', 'withdrawn') ORDER BY w.n, r.started_at, r.id",
        scope.community_id, [person_id for person_id, _ in spans], [span.begin for _, span in spans],
        [span.end for _, span in spans], AROUND,
    )  # fmt: skip
    met: list[list[RecordedTime]] = [[] for _ in spans]
    for row in found:
        met[row["n"] - 1].append(RecordedTime(row["started_at"], row["ended_at"]))
    return met


async def _flags(scope: Scope, entries: Sequence[HoursEntry], in_force: Policies) -> list[list[str]]:
    """The flags of each entry, with the entries before it counted in."""
    others = await _others(scope, entries)
    inside = await _inside(scope, entries)
    elsewhere = await _elsewhere(scope, entries)
    flags = []
    for entry, is_elsewhere in zip(entries, elsewhere, strict=True):
        day, mine = clock.local_day(entry.started_at), others[entry.person_id]
        facts = TimeFacts(day, list(mine), in_force.review_over_minutes)
        doubts = time_flags(entry.span, entry.minutes, facts)
        if "overlap" not in doubts and any(since < entry.ended_at for since in inside[entry.person_id]):
            doubts.insert(0, "overlap")
        doubts += ["two_communities"] * is_elsewhere + ["long_ago"] * is_long_ago(entry.started_at, in_force)
        flags.append(doubts)
        mine.append(Other(entry.span, entry.minutes, day))
    return flags


async def _others(scope: Scope, entries: Sequence[HoursEntry]) -> dict[UUID, list[Other]]:
    """The counting records that these people have around these times, by person."""
    windows = [_window(entry) for entry in entries]
    found = await database.fetch(
        "SELECT DISTINCT r.id, r.person_id, r.started_at, r.ended_at, r.minutes, r.counts_on "
        "FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS w (person_id, after, before) "
        "JOIN service_record r ON r.community_id = $1 AND r.person_id = w.person_id AND r.started_at > w.after "
        "AND r.started_at < w.before AND r.status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, [entry.person_id for entry in entries], [after for after, _ in windows],
        [before for _, before in windows],
    )  # fmt: skip
    others: dict[UUID, list[Other]] = defaultdict(list)
    for row in found:
        day = row["counts_on"] or clock.local_day(row["started_at"])
        others[UUID(bytes=row["person_id"].bytes)].append(
            Other(Span(row["started_at"], row["ended_at"]), row["minutes"], day)
        )
    return others


def _window(entry: HoursEntry) -> tuple[datetime, datetime]:
    begin, end = clock.day_bounds(clock.local_day(entry.started_at))
    return min(entry.started_at, begin) - AROUND, max(entry.ended_at, end) + AROUND


async def _inside(scope: Scope, entries: Sequence[HoursEntry]) -> dict[UUID, list[datetime]]:
    """The check-in times of these people's open visits, by person. An open visit has no record yet."""
    found = await database.fetch(
        "SELECT person_id, in_at FROM visit WHERE community_id = $1 AND person_id = ANY ($2) AND status = 'open'",
        scope.community_id, list({entry.person_id for entry in entries}),
    )  # fmt: skip
    inside: dict[UUID, list[datetime]] = defaultdict(list)
    for row in found:
        inside[UUID(bytes=row["person_id"].bytes)].append(row["in_at"])
    return inside


async def _elsewhere(scope: Scope, entries: Sequence[HoursEntry]) -> list[bool]:
    """Whether each person's login was present in another community during the entry."""
    found = await database.fetch(
        "SELECT present_elsewhere($1, w.person_id, w.begins, w.ends) AS is_elsewhere "
        "FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY "
        "AS w (person_id, begins, ends, n) ORDER BY w.n",
        scope.community_id, [entry.person_id for entry in entries], [entry.started_at for entry in entries],
        [entry.ended_at for entry in entries],
    )  # fmt: skip
    return [row["is_elsewhere"] for row in found]
