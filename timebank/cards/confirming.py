"""A second person confirms that a card was issued to a real person.

Without this check an issuer who also scans the card could record service for somebody who never came. Time that the
issuer scans with it is reviewed until a second person has confirmed the card: by asking the issuer, calling the
holder, or seeing the card at the counter.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.agreements.deciders import AUDITOR, WITHIN, Bench, Party, nearest
from timebank.agreements.independence import is_family, near, sides_of
from timebank.cards.cards import WAITS
from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.paging import LIMIT_MAX, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.people.directory import AREA_IN_WORDS, PEOPLE

COUNTED_MAX = 200


class OwnCard(TimebankError):
    code = "own_card_issue"
    status = 403
    sentence = "这些卡是您办的，或是您本人、同户的，或持卡人、办卡人的账号是您发码开通的，请由另一位工作人员核对。"


class UnconfirmedCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card in force that no second person has confirmed."""

    card_id: UUID
    person_id: UUID
    name: str
    area: str | None
    room: str | None
    issued_at: datetime
    issued_by: str | None
    at_counter: bool
    may_confirm: bool


_UNCONFIRMED = f"c.revoked_at IS NULL AND {WAITS}"


class _Line(UnconfirmedCard, frozen=True, kw_only=True):
    """A card with the ids of its issuer."""

    issuer_id: UUID | None
    issuer_login: UUID | None


async def unconfirmed_cards(
    scope: Scope, *, limit: int = LIMIT_MAX, cursor: str | None = None
) -> Page[UnconfirmedCard]:  # fmt: skip
    """The cards that wait for a second person, newest first."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("c.issued_at, c.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Line,
            f"SELECT c.id AS card_id, p.id AS person_id, p.name, {AREA_IN_WORDS} AS area, h.room, "
            "c.issued_at, i.name AS issued_by, c.issued_by_device IS NOT NULL AS at_counter, false AS may_confirm, "
            "c.issued_by AS issuer_id, c.issued_by_login AS issuer_login "
            f"{PEOPLE} JOIN card c ON c.community_id = p.community_id AND c.person_id = p.id "
            "LEFT JOIN person i ON i.community_id = c.community_id AND i.id = c.issued_by "
            f"WHERE p.community_id = $1 AND p.status = 'active' AND {_UNCONFIRMED}{asked.sql} "
            f"ORDER BY c.issued_at DESC, c.id DESC LIMIT {most(limit + 1)}",
            *asked.values,
        )  # fmt: skip
        shown = make_page(found, limit, lambda line: (line.issued_at, line.card_id))
        others = await _of_others(
            scope, [_Card(c.card_id, c.person_id, c.issuer_id, c.issuer_login) for c in shown.items]
        )
    return Page([_shown(line, may_confirm=line.card_id in others) for line in shown.items], shown.next)


def _shown(line: _Line, *, may_confirm: bool) -> UnconfirmedCard:
    shown = {name: getattr(line, name) for name in UnconfirmedCard.__struct_fields__}
    return UnconfirmedCard(**shown | {"may_confirm": may_confirm})


async def count_unconfirmed(scope: Scope) -> int:
    """How many cards wait for a second person."""
    async with transaction(scope):
        return await database.read_value(
            int,
            "SELECT count(*) FROM card c JOIN person p ON p.community_id = $1 AND p.id = c.person_id "  # noqa: S608  # own condition
            f"WHERE c.community_id = $1 AND p.status = 'active' AND {_UNCONFIRMED}",
            scope.community_id,
        )


async def second_persons_of_cards(scope: Scope) -> dict[tuple[UUID, UUID], int]:
    """How many unconfirmed cards each of the nearest administrators may confirm, by (home community, person)."""
    async with transaction(scope):
        waiting = await database.rows(
            _Card,
            "SELECT c.id, c.person_id AS holder, c.issued_by AS issuer, c.issued_by_login AS issuer_login "  # noqa: S608  # _UNCONFIRMED is a constant of this file
            "FROM card c "
            "JOIN person p ON p.community_id = $1 AND p.id = c.person_id "
            f"WHERE c.community_id = $1 AND p.status = 'active' AND {_UNCONFIRMED} ORDER BY c.id LIMIT $2",
            scope.community_id, COUNTED_MAX,
        )  # fmt: skip
        parties = [
            Party(
                needs="another", depth=WITHIN, proposed_by=card.issuer, proposed_by_login=card.issuer_login, people=[]
            )
            for card in waiting
        ]
        bench = await Bench.of(scope, parties)
        holders = await sides_of(scope, [card.holder for card in waiting])
    counted: Counter[tuple[UUID, UUID]] = Counter()
    for card, party in zip(waiting, parties, strict=True):
        free = [
            o for o in bench.deciders(party)
            if o.role != AUDITOR and not is_family(bench.people[o.person_id], holders[card.holder])
        ]  # fmt: skip
        counted.update((officer.home_id, officer.person_id) for officer in nearest(free))
    return dict(counted)


@retried
async def confirm_cards(scope: Scope, card_ids: Sequence[UUID]) -> int:
    """Confirm that these cards were issued to real people; returns how many were confirmed.

    For administrators and keepers of the community. Skips cards that the caller or somebody not independent of the
    caller issued, and cards of the caller, a household member or a person whose login the caller opened. Raises
    OwnCard when none was confirmed and any still waits.
    """
    if scope.login_id is None or not (scope.administers or scope.kept_stations):
        raise Forbidden
    async with transaction(scope):
        confirmed = await database.fetch(
            "UPDATE card SET confirmed_at = coalesce(confirmed_at, $3), confirmed_by_login = $4 "
            "WHERE community_id = $1 AND id = ANY ($2) AND confirmed_by_login IS NULL AND revoked_at IS NULL "
            "RETURNING id, person_id",
            scope.community_id, list(await _of_others(scope, await _cards(scope, card_ids))), clock.now(),
            scope.login_id,
        )  # fmt: skip
        for row in sorted(confirmed, key=lambda row: row["id"]):
            card_id, person_id = UUID(bytes=row["id"].bytes), UUID(bytes=row["person_id"].bytes)
            await audit.record(scope, "confirm_card", "card", card_id, about_id=person_id)
        if not confirmed and await _holds_back(scope, card_ids):
            raise OwnCard
    return len(confirmed)


class _Card(msgspec.Struct, frozen=True):
    id: UUID
    holder: UUID
    issuer: UUID | None
    issuer_login: UUID | None


async def _cards(scope: Scope, card_ids: Sequence[UUID]) -> list[_Card]:
    return await database.rows(
        _Card,
        "SELECT id, person_id AS holder, issued_by AS issuer, issued_by_login AS issuer_login FROM card "
        "WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(card_ids),
    )  # fmt: skip


async def _of_others(scope: Scope, cards: Sequence[_Card]) -> set[UUID]:
    """The cards whose issuer and holder are both independent of the caller."""
    if scope.login_id is None:
        return set()
    people = [person for card in cards for person in (card.issuer, card.holder)]
    close = await near(scope, people, [card.issuer_login for card in cards])
    return {
        card.id for card in cards
        if close.is_uninvolved([card.issuer, card.issuer_login, card.holder], [card.holder])
    }  # fmt: skip


async def _holds_back(scope: Scope, card_ids: Sequence[UUID]) -> bool:
    """Whether any of these cards still waits. If others have confirmed all of them meanwhile, that is no error."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM card c WHERE c.community_id = $1 AND c.id = ANY ($2) "  # noqa: S608  # own condition
        f"AND {_UNCONFIRMED})",
        scope.community_id, list(card_ids),
    )  # fmt: skip
    return found
