"""Let the push gateway know of a message: whose it is and of what kind, never what it says."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, settings
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.outbox.putting import Parcel
from timebank.people.pushing.gateway import post_to_gateway
from timebank.policies.values import policies

TOO_LATE = timedelta(days=3)
"""A message older than this is not news any more: its reader finds it in the service."""


class _Unread(msgspec.Struct, frozen=True):
    person_id: UUID
    kind: str
    created_at: datetime
    urgent: bool


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway gets. `url` is the page that shows the message to its reader after sign-in."""

    id: UUID
    community_id: UUID
    person_id: UUID
    kind: str
    created_at: datetime
    urgent: bool
    url: str


async def push_message(scope: Scope, parcel: Parcel) -> None:
    """Send the gateway a message's id, kind, person and page. Nothing is sent for one that was read or is too old, to
    somebody who has left, or after the community has switched it off.

    Raises GatewayAway, GatewayMissing, GatewayRefused.
    """
    unread = await _unread(scope, parcel.payload["message_id"])
    if unread is None:
        return
    pushed = Pushed(
        id=UUID(parcel.key), community_id=scope.community_id, person_id=unread.person_id, kind=unread.kind,
        created_at=unread.created_at, urgent=unread.urgent,
        url=f"{settings.current().base_url}/messages",
    )  # fmt: skip
    await post_to_gateway(parcel.key, msgspec.json.encode(pushed))


async def _unread(scope: Scope, message_id: str | int) -> _Unread | None:
    async with transaction(scope):
        if not (await policies(scope)).pushes_messages:
            return None
        return await database.row(
            _Unread,
            "SELECT m.person_id, m.kind, m.created_at, m.urgent FROM message m "
            "JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active' "
            "WHERE m.community_id = $1 AND m.id = $2 AND m.read_at IS NULL AND m.created_at > $3",
            scope.community_id, UUID(str(message_id)), clock.now() - TOO_LATE,
        )  # fmt: skip
