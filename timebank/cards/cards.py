"""Printed cards for people without a phone. A card's code holds its id and epoch; a new card ends the old one."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.cards.schemas import CardOut
from timebank.core import audit, clock, codes, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.directory import AREA_IN_WORDS, PEOPLE
from timebank.people.messages import Notification, notify, notify_many
from timebank.people.residents import require_resident


class PersonNotServed(TimebankError):
    code = "person_not_served"
    status = 422
    sentence = "这位居民已停用或迁出，不能办卡和用卡。请找社区管理员。"


class PrintedCard(msgspec.Struct, kw_only=True):
    """What is printed on a card; `url` is the content of its QR code."""

    card_id: UUID
    person_id: UUID
    name: str
    area: str | None
    room: str | None
    url: str


# A card that a command issued needs no second person: the operator serves at no counter and could not scan it.
WAITS = "(confirmed_by_login IS NULL AND (issued_by_login IS NOT NULL OR issued_by_device IS NOT NULL))"


class _Card(msgspec.Struct):
    id: UUID
    person_id: UUID
    epoch: int
    issued_at: datetime
    waits: bool


def _require_counter(scope: Scope) -> None:
    if not (scope.administers or scope.kept_stations):
        raise Forbidden


@retried
async def issue_card(scope: Scope, person_id: UUID, station_id: UUID | None = None) -> CardOut:
    """Issue a card to a person; the earlier one ends at once. For keepers and administrators.

    `station_id` is the counter at which it is given, noted where the caller keeps it; on a tablet it is the tablet's.
    """
    _require_counter(scope)
    station_id = station_id or scope.device_station_id
    station_id = station_id if scope.keeps(station_id) else None
    async with transaction(scope):
        status = await database.fetch_value(
            "SELECT status FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id,
            person_id,
        )
        if status is None:
            raise NotFound
        if status != "active":
            raise PersonNotServed
        [card] = await _issue(scope, [person_id], station_id)
        await audit.record(scope, "issue_card", "card", card.id, person_id=person_id, epoch=card.epoch)
        await _notify(scope, person_id, "card.given_anew" if card.epoch > 1 else "card.given", card.id)
    return _out(scope, card)


async def _issue(scope: Scope, person_ids: list[UUID], station_id: UUID | None = None) -> list[_Card]:
    now = clock.now()
    await database.execute(
        "UPDATE card SET revoked_at = $3 WHERE community_id = $1 AND person_id = ANY ($2) AND revoked_at IS NULL",
        scope.community_id, person_ids, now,
    )  # fmt: skip
    last = {
        row["person_id"]: row["epoch"]
        for row in await database.fetch(
            "SELECT person_id, max(epoch) AS epoch FROM card WHERE community_id = $1 AND person_id = ANY ($2) "
            "GROUP BY 1",
            scope.community_id, person_ids,
        )
    }  # fmt: skip
    waits = scope.login_id is not None or scope.device_id is not None  # as WAITS
    cards = [_Card(clock.new_id(), person, 1 + last.get(person, 0), now, waits=waits) for person in person_ids]
    await database.insert_many(
        "card",
        (
            "community_id", "id", "person_id", "epoch", "issued_at", "issued_by", "issued_by_login",
            "issued_by_device", "station_id",
        ),
        [
            (scope.community_id, card.id, card.person_id, card.epoch, now, scope.person_id, scope.login_id,
             scope.device_id, station_id)
            for card in cards
        ],
    )  # fmt: skip
    return cards


@retried
async def issue_missing_cards(scope: Scope) -> int:
    """Issue a card to every active person of the community who has neither phone nor card; returns how many."""
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id FROM person p WHERE community_id = $1 AND status = 'active' AND phone_index IS NULL "
            "AND NOT EXISTS (SELECT FROM card c WHERE c.community_id = $1 AND c.person_id = p.id "
            "                AND c.revoked_at IS NULL) ORDER BY id FOR NO KEY UPDATE",
            scope.community_id,
        )
        cards = await _issue(scope, [record["id"] for record in found]) if found else []
        await audit.record(scope, "issue_missing_cards", "card", None, given=len(cards))
        to_send = [
            Notification(card.person_id, phrase("card.given"), f"card:{card.id}", card.id)
            for card in cards
            if not scope.is_own(card.person_id)
        ]
        await notify_many(scope, to_send)
    return len(cards)


@retried
async def revoke_card(scope: Scope, person_id: UUID) -> None:
    """End a person's card, such as a lost one; does nothing where there is none."""
    _require_counter(scope)
    async with transaction(scope):
        await require_resident(scope, person_id)
        card_id = await database.fetch_value(
            "UPDATE card SET revoked_at = $3 WHERE community_id = $1 AND person_id = $2 AND revoked_at IS NULL "
            "RETURNING id",
            scope.community_id, person_id, clock.now(),
        )  # fmt: skip
        if card_id is not None:
            await audit.record(scope, "revoke_card", "card", card_id, person_id=person_id)
            await _notify(scope, person_id, "card.revoked", card_id)


async def _notify(scope: Scope, person_id: UUID, kind: str, card_id: UUID) -> None:
    if not scope.is_own(person_id):
        await notify(scope, person_id, kind, f"card:{clock.new_id()}", card_id, urgent=True)


class CardInForce(msgspec.Struct, frozen=True):
    """A person's card as staff see it. `may_read`: whether the caller may see its code."""

    epoch: int
    issued_at: datetime
    may_read: bool


async def card_in_force(scope: Scope, person_id: UUID) -> CardInForce | None:
    """The card in force of a person, without its code; for administrators and auditors."""
    scope.require_reader()
    found = await _in_force(scope, person_id)
    return CardInForce(found.epoch, found.issued_at, _may_read(scope, found)) if found else None


async def card_of(scope: Scope, person_id: UUID) -> CardOut:
    """The card in force of a person with its code; only for the person and for the staff who issued it.

    The code is all that a scan needs: anybody else who could read it could scan and spend in the holder's absence.
    Staff who need to print a card issue a new one and so become its issuer.
    """
    found = await card_to_read(scope, person_id)
    if found is None:
        raise NotFound
    return found


async def card_to_read(scope: Scope, person_id: UUID) -> CardOut | None:
    """The card in force of a person with its code; None where there is none, or the caller may not read its code."""
    found = await _in_force(scope, person_id)
    return _out(scope, found) if found is not None and _may_read(scope, found) else None


class _InForce(_Card, kw_only=True):
    issued_by_login: UUID | None


async def _in_force(scope: Scope, person_id: UUID) -> _InForce | None:
    async with transaction(scope):
        return await database.row(
            _InForce,
            f"SELECT id, person_id, epoch, issued_at, {WAITS} AS waits, issued_by_login FROM card "  # noqa: S608  # own condition
            "WHERE community_id = $1 AND person_id = $2 AND revoked_at IS NULL ORDER BY epoch DESC LIMIT 1",
            scope.community_id, person_id,
        )  # fmt: skip


def _may_read(scope: Scope, card: _InForce) -> bool:
    issued = (scope.administers or scope.kept_stations) and scope.login_id is not None
    return scope.stands_for(card.person_id) or bool(issued and card.issued_by_login == scope.login_id)


def _url(scope: Scope, card_id: UUID, epoch: int) -> str:
    return codes.url("k", codes.card_code(scope.community_id, card_id, epoch))


def _out(scope: Scope, card: _Card) -> CardOut:
    return CardOut(
        id=card.id,
        person_id=card.person_id,
        epoch=card.epoch,
        issued_at=card.issued_at,
        url=_url(scope, card.id, card.epoch),
        waits=card.waits,
    )


class _Printed(msgspec.Struct, kw_only=True):
    card_id: UUID
    epoch: int
    person_id: UUID
    name: str
    area: str | None
    room: str | None


async def cards_of(
    scope: Scope, *, area_id: UUID | None = None, person_ids: list[UUID] | None = None
) -> list[PrintedCard]:
    """The cards in force of the community, an area or some people, ordered by area, room and name."""
    scope.require_admin()
    async with transaction(scope):
        found = await database.rows(
            _Printed,
            f"SELECT c.id AS card_id, c.epoch, p.id AS person_id, p.name, {AREA_IN_WORDS} AS area, h.room "
            f"{PEOPLE} JOIN card c ON c.community_id = p.community_id AND c.person_id = p.id "
            "WHERE p.community_id = $1 AND p.status = 'active' AND c.revoked_at IS NULL "
            "AND ($2::uuid IS NULL OR $2 = ANY (place.path)) AND ($3::uuid[] IS NULL OR p.id = ANY ($3)) "
            "ORDER BY place.pinyin NULLS LAST, h.room, p.pinyin, p.id",
            scope.community_id, area_id, person_ids,
        )  # fmt: skip
    return [
        PrintedCard(
            card_id=card.card_id,
            person_id=card.person_id,
            name=card.name,
            area=card.area,
            room=card.room,
            url=_url(scope, card.card_id, card.epoch),
        )
        for card in found
    ]
