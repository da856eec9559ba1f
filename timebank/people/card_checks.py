"""A second person confirms that a card was issued to somebody who is there.

Whoever issues a card and scans it alone could serve somebody who never came. What its issuer scans is looked at until
somebody else has confirmed it: the issuer may be asked, the holder called, or the card seen at the counter.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.agreements.independence import near
from timebank.database import retried, transaction
from timebank.errors import Forbidden, TimebankError
from timebank.people.directory import AREA_IN_WORDS, PEOPLE
from timebank.scope import Scope

LISTED_MAX = 200


class OwnCard(TimebankError):
    code = "own_card_issue"
    status = 403
    sentence = "这些卡是您办的，或是您本人、同户的，请由另一位工作人员核对。"


class UnconfirmedCard(msgspec.Struct, frozen=True):
    """A card in force that nobody but its issuer has vouched for."""

    card_id: UUID
    person_id: UUID
    name: str
    area: str | None
    room: str | None
    issued_at: datetime
    issued_by: str | None
    at_counter: bool
    may_confirm: bool


# A card that a command gave out has no issuer who could scan it: the operator stands at no counter.
_UNCONFIRMED = (
    "c.revoked_at IS NULL AND c.confirmed_by_login IS NULL "
    "AND (c.issued_by_login IS NOT NULL OR c.issued_by_device IS NOT NULL)"
)


async def unconfirmed_cards(scope: Scope) -> list[UnconfirmedCard]:
    """The cards that wait for a second person, newest first; at most 200 at once."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            UnconfirmedCard,
            f"SELECT c.id AS card_id, p.id AS person_id, p.name, {AREA_IN_WORDS} AS area, h.room, c.issued_at, "  # noqa: S608  # own condition
            "i.name AS issued_by, c.issued_by_device IS NOT NULL AS at_counter, "
            "$2::uuid IS NOT NULL AND c.issued_by_login IS DISTINCT FROM $2 "
            "AND p.id <> ALL ($3) AND (h.id IS NULL OR h.id <> ALL ($4)) AS may_confirm "
            f"{PEOPLE} JOIN card c ON c.community_id = p.community_id AND c.person_id = p.id "
            "LEFT JOIN person i ON i.community_id = c.community_id AND i.id = c.issued_by "
            f"WHERE p.community_id = $1 AND p.status = 'active' AND {_UNCONFIRMED} "
            "ORDER BY c.issued_at DESC, c.id LIMIT $5",
            scope.community_id, scope.login_id, *_family(scope), LISTED_MAX,
        )  # fmt: skip


async def count_unconfirmed(scope: Scope) -> int:
    """How many cards wait for a second person."""
    async with transaction(scope):
        found: int = await database.fetch_value(
            "SELECT count(*) FROM card c JOIN person p ON p.community_id = $1 AND p.id = c.person_id "  # noqa: S608  # own condition
            f"WHERE c.community_id = $1 AND p.status = 'active' AND {_UNCONFIRMED}",
            scope.community_id,
        )
    return found


def _family(scope: Scope) -> tuple[list[UUID], list[UUID]]:
    """The caller's own records of the community, and their households."""
    here = [p for p in scope.persons if p.community_id == scope.community_id]
    return [p.person_id for p in here], [p.household_id for p in here if p.household_id is not None]


@retried
async def confirm_cards(scope: Scope, card_ids: Sequence[UUID]) -> int:
    """Confirm that these cards were issued to people who are there; how many were confirmed.

    For staff who did not issue them: an administrator, or a keeper of the community. Cards of one's own issue or of
    somebody's who is no other person, of oneself or of one's household stay. Raises OwnCard where all of them do.
    """
    if scope.login_id is None or not (scope.administers or scope.kept_stations):
        raise Forbidden
    async with transaction(scope):
        confirmed = await database.fetch(
            "UPDATE card c SET confirmed_at = coalesce(c.confirmed_at, $3), confirmed_by_login = $4 FROM person p "
            "WHERE c.community_id = $1 AND c.id = ANY ($2) AND p.community_id = $1 AND p.id = c.person_id "
            "AND c.confirmed_by_login IS NULL AND c.revoked_at IS NULL AND c.issued_by_login IS DISTINCT FROM $4 "
            "AND p.id <> ALL ($5) AND (p.household_id IS NULL OR p.household_id <> ALL ($6)) RETURNING c.id",
            scope.community_id, await _of_others(scope, card_ids), clock.now(), scope.login_id, *_family(scope),
        )  # fmt: skip
        for row in sorted(confirmed, key=lambda row: row["id"]):
            await audit.record(scope, "confirm_card", "card", UUID(bytes=row["id"].bytes))
        if not confirmed and await _holds_back(scope, card_ids):
            raise OwnCard
    return len(confirmed)


async def _of_others(scope: Scope, card_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the cards that neither the caller issued, nor anybody who is no other person, nor are the family's."""
    found = await database.fetch(
        "SELECT id, issued_by, person_id FROM card WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(card_ids),
    )  # fmt: skip
    cards = [(_plain(row["id"]), _plain(row["issued_by"]), _plain(row["person_id"])) for row in found]
    close = await near(scope, [person for _, issuer, holder in cards for person in (issuer, holder)])
    return [card for card, issuer, holder in cards if card and close.is_uninvolved([issuer], [holder])]


def _plain(value: UUID | None) -> UUID | None:
    return UUID(bytes=value.bytes) if value else None


async def _holds_back(scope: Scope, card_ids: Sequence[UUID]) -> bool:
    """Whether any of these still waits: what somebody else has confirmed meanwhile is no refusal."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM card c WHERE c.community_id = $1 AND c.id = ANY ($2) "  # noqa: S608  # own condition
        f"AND {_UNCONFIRMED})",
        scope.community_id, list(card_ids),
    )  # fmt: skip
    return found
