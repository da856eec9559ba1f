"""Residents of a roster who are in the community's book already: found, compared, and left as they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from timebank import clock, database, vault
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem
from timebank.imports.roster import Household, RosterRow
from timebank.scope import Scope


@dataclass(frozen=True, slots=True)
class Resident:
    """Whom a row means, and whether this import has entered them."""

    row: RosterRow
    person_id: UUID
    is_new: bool


class _Registered(msgspec.Struct, frozen=True):
    """A person as the book has them, with the names of the areas from the grid down to the home."""

    id: UUID
    status: str
    identity_index: bytes | None
    phone_index: bytes | None
    room: str | None
    places: dict[str, str]
    roles: list[str]


async def names_by_identity(scope: Scope, indexes: Iterable[bytes]) -> dict[bytes, str]:
    """Who is registered under each of these identity numbers."""
    found = await database.fetch(
        "SELECT identity_index, name FROM person WHERE community_id = $1 AND identity_index = ANY ($2)",
        scope.community_id, list(indexes),
    )  # fmt: skip
    return {row["identity_index"]: row["name"] for row in found}


async def compare(scope: Scope, parsed: Parsed[RosterRow], known: Sequence[Resident]) -> None:
    """Point out where the book differs from the roster; it is the book that stays."""
    if not known:
        return
    registered = {one.id: one for one in await _registered(scope, [one.person_id for one in known])}
    for one in known:
        book, reading = registered[one.person_id], parsed.reading(one.row)
        if book.status != "active":
            reading.warn("name", problem("known_not_active"))
            continue
        if one.row.identity and book.identity_index is None:
            reading.warn("identity", problem("known_identity_missing"))
        if one.row.phone and vault.blind_index(one.row.phone, "phone") != book.phone_index:
            reading.warn("phone", problem("known_phone_differs"))
        if not _lives_there(book, one.row.household):
            reading.warn("room|address|building", problem("known_home_differs"))
        if one.row.roles - set(book.roles):
            reading.warn("note|post", problem("known_role_differs"))


def _lives_there(book: _Registered, home: Household) -> bool:
    """Whether the book says the same of the home, as far as the roster says anything."""
    said = {"grid": home.grid, "building": home.building, "unit": home.unit}
    same = all(book.places.get(kind) == name for kind, name in said.items() if name)
    return same and (home.room is None or home.room == book.room)


async def _registered(scope: Scope, person_ids: Sequence[UUID]) -> list[_Registered]:
    today: date = clock.local_day()
    found = await database.fetch(
        "SELECT p.id, p.status, p.identity_index, p.phone_index, h.room, "
        "ARRAY(SELECT a.kind FROM area a WHERE a.community_id = $1 AND a.id = ANY (home.path) ORDER BY a.id) AS kinds, "
        "ARRAY(SELECT a.name FROM area a WHERE a.community_id = $1 AND a.id = ANY (home.path) ORDER BY a.id) AS names, "
        "ARRAY(SELECT g.role FROM role_grant g WHERE g.community_id = $1 AND g.person_id = p.id "
        "AND g.ended_at IS NULL AND (g.ends_on IS NULL OR g.ends_on >= $3)) AS roles "
        "FROM person p LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "LEFT JOIN area home ON home.community_id = h.community_id AND home.id = h.area_id "
        "WHERE p.community_id = $1 AND p.id = ANY ($2)",
        scope.community_id, list(person_ids), today,
    )  # fmt: skip
    return [
        _Registered(
            UUID(bytes=row["id"].bytes), row["status"], row["identity_index"], row["phone_index"], row["room"],
            dict(zip(row["kinds"], row["names"], strict=True)), row["roles"],
        )
        for row in found
    ]  # fmt: skip
