"""The scans of one person that were refused, with their reasons, as the panel shows them."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.presence.schemas import Verdict
from timebank.presence.words import REASONS

SHOWN = 20
HOW = {
    "station_code": _("扫了驿站的码"), "personal_code": _("出示了个人码"), "card": _("刷了卡"),
    "keeper": _("由站长办理"),
}  # fmt: skip


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    nonce: str
    received_at: datetime
    scanned_at: datetime
    station: str | None
    how: str | None
    verdict: str


class RefusedScan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan that brought nothing: when, where, how, and why in the reader's language."""

    nonce: str
    received_at: datetime
    at: datetime
    station: str | None
    how: str | None
    why: str


async def refused_scans_of(scope: Scope, person_id: UUID, reading: Reading) -> Page[RefusedScan]:
    """A person's refused scans, newest first, for administrators and auditors.

    Listed is what was refused after the person was recognised; a code that belongs to nobody is nobody's scan.
    """
    scope.require_reader()
    asked = Filters(scope.community_id, person_id)
    asked.add_after("s.received_at, s.nonce", "<", read_cursor(reading.cursor, tuple[datetime, str]))
    async with transaction(scope):
        rows = await database.rows(
            _Row,
            "SELECT s.nonce, s.received_at, s.scanned_at, station.name AS station, s.how, s.verdict::text AS verdict "  # noqa: S608  # constants and conditions of the program, which hold no values
            "FROM scan s LEFT JOIN station ON station.community_id = s.community_id AND station.id = s.station_id "
            f"WHERE s.community_id = $1 AND s.person_id = $2 AND s.status = 'error'{asked.sql} "
            f"ORDER BY s.received_at DESC, s.nonce DESC LIMIT {most(SHOWN + 1)}",
            *asked.values,
        )
    return make_page([_shown(row, reading.language) for row in rows], SHOWN, lambda one: (one.received_at, one.nonce))


def _shown(row: _Row, language: str) -> RefusedScan:
    verdict = msgspec.json.decode(row.verdict, type=Verdict)
    how, why = HOW.get(row.how or ""), " ".join(verdict.texts(language))
    return RefusedScan(
        nonce=row.nonce, received_at=row.received_at, at=row.scanned_at, station=row.station,
        how=translate(how, language) if how else None, why=why or translate(REASONS["error"], language),
    )  # fmt: skip
