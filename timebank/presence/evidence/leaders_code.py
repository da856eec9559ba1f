"""A code on a leader's phone: it counts for those who signed up for that shift, and not for the leader's own visit."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.codes import StationCode
from timebank.core.database import Question
from timebank.core.scope import Scope


class Led(msgspec.Struct, frozen=True):
    """A code that the leader of a shift had on the own phone. `own`: the leader is the person who was scanned, or lives
    in the same household."""

    reader_id: UUID
    shift_id: UUID
    own: bool


def led_question(scope: Scope, code: StationCode, at: datetime, person_id: UUID) -> Question:
    """Who had this code on the own phone as a leader by the time `at` of a scan of this person."""
    return database.many(
        "SELECT r.reader_id, r.shift_id, EXISTS (SELECT FROM membership m "
        "JOIN person reader ON reader.community_id = m.community_id AND reader.id = m.person_id "
        "JOIN person scanned ON scanned.community_id = m.community_id AND scanned.id = $5 "
        "WHERE m.community_id = $1 AND m.login_id = r.reader_id "
        "AND (reader.id = scanned.id OR reader.household_id = scanned.household_id)) AS own FROM code_reading r "
        "WHERE r.community_id = $1 AND r.station_id = $2 AND r.step = $3 AND r.read_at <= $4 "
        "AND r.shift_id IS NOT NULL ORDER BY r.reader_id",
        scope.community_id, code.station_id, code.step, at, person_id,
    )  # fmt: skip


def leaders_flags(led: Sequence[Led], seats: Collection[UUID | None]) -> list[str]:
    """The flags of a scan of such a code. `seats` are the shifts for which the person has signed up."""
    own = any(each.own for each in led)
    return ["leader"] * own + ["other_shift"] * any(each.shift_id not in seats for each in led)
