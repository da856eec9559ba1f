"""Who may decide a service record, and the record under its row lock for the decision."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved, near
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.locks import require_locked
from timebank.presence.scans.facts import lock_person
from timebank.service_records.crediting.credit import Served


class OwnRecord(TimebankError):
    code = "own_record"
    status = 403
    sentence = "这条记录与您有关（本人、同户或由您录入），请由另一位来审核。"


class DecidedRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    status: str
    person_id: UUID
    entered_by: UUID | None
    visit_id: UUID | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    rule_code: str
    place: str
    flags: list[str]
    entry_id: UUID | None
    counts_on: date | None
    corrected_by: UUID | None

    @property
    def where(self) -> str | Phrase:
        """The station or activity, as a value of a message."""
        return phrase("volunteering") if self.place == VOLUNTEERING else self.place


VOLUNTEERING = "志愿服务"
ROW_WITH = (
    "SELECT r.id, r.kind, r.status, r.person_id, r.entered_by, r.visit_id, r.started_at, r.ended_at, r.minutes, "
    "r.rule_code, coalesce(s.name, a.name, '志愿服务') AS place, r.flags, r.entry_id, r.counts_on, "
    "r.corrected_by{more} FROM service_record r "
    "LEFT JOIN station s ON s.community_id = r.community_id AND s.id = r.station_id "
    "LEFT JOIN activity a ON a.community_id = r.community_id AND a.id = r.activity_id "
    "WHERE r.community_id = $1 AND r.id = $2 AND r.status <> 'withdrawn' "
)
"""SQL of a DecidedRow with further columns, `more`: empty, or each with a comma before it."""
ROW = ROW_WITH.format(more="")


# The array of the logins that took part in the scans of the visit `v` in community $1, with nulls among them.
HANDS = (
    "v.read_by || ARRAY[v.in_by_login, v.out_by_login] || ARRAY(SELECT n.sent_by_login FROM scan n "
    "WHERE n.community_id = $1 AND n.visit_id = v.id)"
)


async def locked_record(scope: Scope, record_id: UUID) -> DecidedRow:
    """Lock the person's row, then the record's, and return the record for the caller to decide.

    The ledger's rows are locked after these. Raises NotFound, OwnRecord.
    """
    person_id = await database.fetch_value(
        "SELECT person_id FROM service_record WHERE community_id = $1 AND id = $2", scope.community_id, record_id
    )
    if person_id is None:
        raise NotFound
    person = await lock_person(scope, UUID(bytes=person_id.bytes))
    found = await database.row(
        DecidedRow,
        ROW + "FOR NO KEY UPDATE OF r",
        scope.community_id, record_id,
    )  # fmt: skip
    if found is None or person is None:
        raise NotFound
    require_locked(found.person_id, [person.id])
    acted = found.entered_by or person.id
    if not await is_uninvolved(scope, acted, concerns=[person.id]) or await took_part_in_scans(scope, found.visit_id):
        raise OwnRecord
    return found


async def require_not_corrected_by(scope: Scope, row: DecidedRow) -> None:
    """Raise OwnRecord where the caller, or somebody not independent of the caller, corrected the record's end."""
    if not await is_uninvolved(scope, row.corrected_by):
        raise OwnRecord


async def took_part_in_scans(scope: Scope, visit_id: UUID | None) -> bool:
    """Whether the caller, or somebody not independent of the caller, took part in a visit's scans; see `scanned_by`."""
    return visit_id in await scanned_by(scope, [visit_id])


class _Hand(msgspec.Struct, frozen=True):
    visit_id: UUID
    login_id: UUID


async def scanned_by(scope: Scope, visit_ids: Sequence[UUID | None]) -> set[UUID | None]:
    """Those of the visits in whose scans the caller, or somebody not independent of the caller, took part.

    These are the logins that sent the scan at either end, by hand, by a code or in another keeper's name, or that read
    the station's code elsewhere than on its screen. Taking part in a scan excludes from the decision as entering the
    hours does.
    """
    wanted = [visit_id for visit_id in visit_ids if visit_id is not None]
    if not wanted or scope.login_id is None:
        return set()
    async with transaction(scope):
        hands = await database.rows(
            _Hand,
            f"SELECT DISTINCT v.id AS visit_id, h.login_id FROM visit v, unnest({HANDS}) AS h (login_id) "  # noqa: S608  # no input
            "WHERE v.community_id = $1 AND v.id = ANY ($2) AND h.login_id IS NOT NULL",
            scope.community_id, wanted,
        )  # fmt: skip
        close = await near(scope, [], {hand.login_id for hand in hands})
    return {hand.visit_id for hand in hands if hand.login_id == scope.login_id or hand.login_id in close.same}


def served_of(row: DecidedRow) -> Served:
    day = row.counts_on or clock.local_day(row.started_at)
    return Served(
        id=row.id,
        kind=row.kind,
        person_id=row.person_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        minutes=row.minutes,
        rule_code=row.rule_code,
        place=row.place,
        day=day,
    )
