"""Pickup codes: eight digits that a person shows at a counter for what waits there, in one table for every noun.

Tries of codes are limited: of one code by all callers together, and of wrong codes by one caller. A right code does not
reset a count; if it did, somebody who knows one right code could reset the count after every few guesses.
"""

import hmac
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.sign_in.attempt_limits import Limit, count_attempts
from timebank.core import clock, database
from timebank.core.database import Question, Write, transaction
from timebank.core.errors import Busy, Forbidden
from timebank.core.scope import Scope

WRONG_MAX = 60
TRIES_OF_ONE_MAX = 10
WINDOW = timedelta(minutes=15)
DRAWN = 5


class Found(msgspec.Struct, frozen=True):
    """What a code was given for: a row of the noun's own table, and the station where it waits."""

    noun: str
    noun_id: UUID
    station_id: UUID | None


async def give_pickup(scope: Scope, noun: str, noun_id: UUID, station_id: UUID | None, until: datetime) -> str:
    """Give something that waits at a counter a code that nothing else in the community has, and return it.

    Runs in the caller's transaction. Five codes are drawn, the first free one is taken. Raises Busy where none is free,
    or where it has a code already.
    """
    drawn = draw()
    rows = ", ".join(f"($1, ${row + 6}, $2, $3, $4, $5)" for row in range(DRAWN))
    code: str | None = await database.fetch_value(
        "INSERT INTO pickup (community_id, code, noun, noun_id, station_id, expires_at) "  # noqa: S608  # numbers of parameters
        f"VALUES {rows} ON CONFLICT DO NOTHING RETURNING code",
        scope.community_id, noun, noun_id, station_id, until, *drawn,
    )  # fmt: skip
    if code is None:
        raise Busy
    return code


def draw(number: int = DRAWN) -> list[str]:
    """So many times eight random digits, as text."""
    return [f"{secrets.randbelow(10**8):08}" for _ in range(number)]


def free_codes(scope: Scope, drawn: Sequence[str]) -> Question:
    """The question which of these codes nothing in the community has, to be asked with others."""
    return database.value(
        "SELECT coalesce(json_agg(d.code), '[]') FROM unnest($2::text[]) AS d (code) "
        "WHERE d.code <> ALL (ARRAY("
        "SELECT k.code FROM pickup k WHERE k.community_id = $1 AND k.code = ANY ($2::text[])))",
        scope.community_id, list(drawn),
    )  # fmt: skip


def first_free(codes: Sequence[str]) -> str:
    """The first of the free codes. Raises Busy where none is free."""
    if not codes:
        raise Busy
    return codes[0]


def pickup_row(scope: Scope, code: str, noun: str, noun_id: UUID, station_id: UUID | None, until: datetime) -> Write:
    """The row that gives something that waits at a counter this code, unless another thing has got it meanwhile."""
    return database.change(
        "INSERT INTO pickup (community_id, code, noun, noun_id, station_id, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        scope.community_id, code, noun, noun_id, station_id, until,
    )  # fmt: skip


async def find_pickup(scope: Scope, code: str) -> Found | None:
    """What a code that is shown at the counter was given for; None where nothing has it, or where it has expired.

    Only for keepers and administrators. A wrong code is counted. Raises Forbidden, TooManyAttempts.
    """
    if not (scope.kept_stations or scope.administers):
        raise Forbidden
    async with transaction(scope):
        found = await database.row(
            Found,
            "SELECT noun, noun_id, station_id FROM pickup WHERE community_id = $1 AND code = $2 AND expires_at > $3",
            scope.community_id, code.replace(" ", ""), clock.now(),
        )  # fmt: skip
    await count_attempts([_wrong_codes(scope, counts=found is None)], window=WINDOW)
    return found


async def count_try(scope: Scope, noun: str, noun_id: UUID, kept: str | None, shown: str) -> bool:
    """Count a try to collect by the code `shown`, and return whether it is the `kept` one. Raises TooManyAttempts.

    Of one noun ten tries are let through in 15 minutes, of all callers together, right ones too. Call it inside the
    verb, once the caller is known to serve there: nobody else may use up the tries. They stay counted when it fails.
    """
    is_right = hmac.compare_digest(shown.replace(" ", "").encode(), (kept or "").encode())
    of_one = Limit(f"{noun}:{noun_id}:{scope.community_id}", TRIES_OF_ONE_MAX)
    await count_attempts([of_one, _wrong_codes(scope, counts=not is_right)], window=WINDOW)
    return is_right


def _wrong_codes(scope: Scope, *, counts: bool) -> Limit:
    return Limit(f"look-up:{scope.login_id or scope.device_id}", WRONG_MAX, counts)


async def change_pickups(
    scope: Scope, noun: str, noun_ids: Collection[UUID], *, station_id: UUID | None = None,
    until: datetime | None = None,
) -> None:  # fmt: skip
    """Set where the codes of these are shown from now on, or until when. Runs in the caller's transaction."""
    await database.execute(
        "UPDATE pickup SET station_id = coalesce($4, station_id), expires_at = coalesce($5, expires_at) "
        "WHERE community_id = $1 AND noun = $2 AND noun_id = ANY ($3)",
        scope.community_id, noun, list(noun_ids), station_id, until,
    )  # fmt: skip


def end_pickup(scope: Scope, noun: str, noun_id: UUID) -> None:
    """Queue the deletion of the code of what was collected or given up."""
    database.queue(
        database.change(
            "DELETE FROM pickup WHERE community_id = $1 AND noun = $2 AND noun_id = $3",
            scope.community_id, noun, noun_id, rows=None,
        )
    )  # fmt: skip
