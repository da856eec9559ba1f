"""The holder of a scanned card, and whether the scan may come from the issuer of a card that nobody else confirmed."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import clock, database
from timebank.core.codes import CardCode
from timebank.core.scope import Scope
from timebank.presence.words import ScanRefused


class Holder(msgspec.Struct, frozen=True):
    """The holder of a card.

    `is_issuers_own`: nobody has confirmed the card, and the scan may come from its issuer or the issuer's household.
    """

    person_id: UUID
    is_issuers_own: bool


class _Card(msgspec.Struct, frozen=True, kw_only=True):
    person_id: UUID
    epoch: int
    revoked_at: datetime | None
    issued_by: UUID | None
    issued_by_login: UUID | None
    issued_by_device: UUID | None
    confirmed_at: datetime | None


async def card_holder(scope: Scope, code: CardCode, station_id: UUID, at: datetime) -> Holder:
    """The holder of a card. An offline scan from before the card was revoked is accepted. Raises ScanRefused."""
    card = await database.row(
        _Card,
        "SELECT person_id, epoch, revoked_at, issued_by, issued_by_login, issued_by_device, confirmed_at FROM card "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, code.card_id,
    )  # fmt: skip
    if card is None:
        raise ScanRefused("invalid_code")
    if (card.revoked_at is not None and card.revoked_at <= at) or card.epoch != code.epoch:
        raise ScanRefused("revoked")
    is_own = card.confirmed_at is None and await _may_be_the_issuers(scope, card, station_id)
    return Holder(card.person_id, is_own)


async def _may_be_the_issuers(scope: Scope, card: _Card, station_id: UUID) -> bool:
    """Whether the scan may come from the issuer of the card or from a household member of the issuer.

    A scan of a tablet that nobody is signed on to may come from any keeper of its station.
    """
    if (
        card.issued_by is not None
        and scope.login_id is not None
        and await is_near_home(signed_on(scope), card.issued_by)
    ):
        return True
    if scope.login_id is not None and card.issued_by_login is not None:
        return scope.login_id == card.issued_by_login
    if card.issued_by_login is None:
        return card.issued_by_device is not None
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM role_grant g WHERE g.community_id = $1 AND g.person_id = $2 "  # noqa: S608  # no input
        f"AND g.station_id = $3 AND g.role = 'station_keeper' AND {is_in_force('$4')})",
        scope.community_id, card.issued_by, station_id, clock.local_day(),
    )  # fmt: skip
    return found


async def is_still_unconfirmed(scope: Scope, person_id: UUID) -> bool:
    """Whether the person has, or had, a card that nobody but its issuer has confirmed."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM card WHERE community_id = $1 AND person_id = $2 AND confirmed_at IS NULL)",
        scope.community_id, person_id,
    )  # fmt: skip
    return found
