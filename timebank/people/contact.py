"""A person's phone in plain text, for verbs that need it; pages do not show it."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.core import database, names, vault
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded
from timebank.people.schemas import Status


class Contact(msgspec.Struct, frozen=True):
    """`area_path` holds the ids from the grid down to the person's area; empty without a household."""

    phone: str | None
    guarded: bool
    status: Status
    area_path: list[UUID]


class _Row(msgspec.Struct, frozen=True):
    phone_sealed: bytes | None
    born_on: date | None
    status: Status
    area_path: list[UUID] | None


class _Names(msgspec.Struct, frozen=True):
    name: str
    phone_last4: str | None
    identity_sealed: bytes | None


async def is_called(scope: Scope, person_id: UUID, name: str, last4: str) -> bool:
    """Whether a person has this whole name (by its key), and a phone or identity number that ends in these four."""
    async with transaction(scope):
        found = await database.row(
            _Names, "SELECT name, phone_last4, identity_sealed FROM person WHERE community_id = $1 AND id = $2",
            scope.community_id, person_id,
        )  # fmt: skip
    if found is None or names.key(found.name) != names.key(name):
        return False
    number = vault.unseal(found.identity_sealed, "identity") if found.identity_sealed else ""
    return last4 == found.phone_last4 or (number != "" and last4.upper() == number[-4:])


async def contact_of(scope: Scope, person_id: UUID) -> Contact:
    """The person's phone, whether a guardian acts for them, and where they live."""
    async with transaction(scope):
        found = await database.row(
            _Row,
            "SELECT p.phone_sealed, p.born_on, p.status, a.path AS area_path FROM person p "
            "LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
            "LEFT JOIN area a ON a.community_id = h.community_id AND a.id = h.area_id "
            "WHERE p.community_id = $1 AND p.id = $2",
            scope.community_id, person_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    phone = vault.unseal(found.phone_sealed, "phone") if found.phone_sealed else None
    return Contact(phone, is_guarded(found.born_on), found.status, found.area_path or [])
