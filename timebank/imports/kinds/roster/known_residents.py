"""Compares a roster with the residents who are registered already; an import does not change their records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from timebank.areas.addresses import Address
from timebank.areas.places import areas_of
from timebank.core import database, names, vault
from timebank.core.scope import Scope
from timebank.imports.cells.problems import problem
from timebank.imports.kinds.roster.read import Household, RosterRow
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_index import AreaIndex, normal_name, role_grants_of


@dataclass(frozen=True, slots=True)
class Resident:
    """The person whom a row means, and whether this import registers them."""

    row: RosterRow
    person_id: UUID
    is_new: bool


class _Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A registered person; `places` are the normalised names of the areas that contain the home, by kind."""

    id: UUID
    status: str
    identity_index: bytes | None
    phone_index: bytes | None
    room: str | None
    places: dict[str, str]
    roles: frozenset[str]


async def names_by_identity(scope: Scope, indexes: Iterable[bytes]) -> dict[bytes, str]:
    """The name registered under each of these identity numbers, by the number's blind index."""
    found = await database.fetch(
        "SELECT identity_index, name FROM person WHERE community_id = $1 AND identity_index = ANY ($2)",
        scope.community_id, list(indexes),
    )  # fmt: skip
    return {row["identity_index"]: row["name"] for row in found}


async def namesakes(scope: Scope, rows: Sequence[RosterRow]) -> list[RosterRow]:
    """The rows of lists of heads whose name is known, from the records or the roster, but only with other phones.

    Such a row would register a person twice or grant the role to the wrong person.
    """
    asked = [row for row in rows if row.named and row.phone and not row.identity and row.household.room is None]
    if not asked:
        return []
    phones: dict[str, set[bytes | None]] = {}
    for row in rows:
        index = vault.blind_index(row.phone, "phone") if row.phone else None
        phones.setdefault(names.key(row.name), set()).update(() if row in asked else (index,))
    found = await database.fetch(
        "SELECT name_key, phone_index FROM person WHERE community_id = $1 AND name_key = ANY ($2) "
        "AND status = 'active' AND merged_into IS NULL",
        scope.community_id, [names.key(row.name) for row in asked],
    )  # fmt: skip
    for known in found:
        phones.setdefault(known["name_key"], set()).add(known["phone_index"])
    return [
        row
        for row in asked
        if (others := phones[names.key(row.name)]) and vault.blind_index(row.phone or "", "phone") not in others
    ]


async def warn_of_differences(
    scope: Scope, parsed: Parsed[RosterRow], residents: Sequence[Resident], homes: Mapping[UUID, Mapping[str, str]],
    town: AreaIndex,
) -> None:  # fmt: skip
    """Add a warning wherever the roster differs from a registered person; the person's record is not changed.

    `homes` are the area names of those whom this roster registers, because another of its rows may mean one of them.
    `town` holds the community's remembered words for buildings.
    """
    known = [one for one in residents if not one.is_new]
    if not known:
        return
    entered = {one.person_id: _of_row(one, homes[one.person_id]) for one in residents if one.is_new}
    registered = {one.id: one for one in await _registered(scope, [one.person_id for one in known])} | entered
    before = sum(one.person_id not in entered for one in known)
    if before:
        parsed.notes.append(problem("note_known", count=before))
    for one in known:
        book, reading = registered.get(one.person_id), parsed.reading(one.row)
        if book is None:
            continue  # Registered by an earlier import and removed since: this row does not register them again.
        if book.status != "active":
            reading.warn("name", problem("known_not_active"))
            continue
        if one.row.identity and book.identity_index is None:
            reading.warn("identity", problem("known_identity_missing"))
        if one.row.phone and vault.blind_index(one.row.phone, "phone") != book.phone_index:
            reading.warn("phone", problem("known_phone_differs"))
        # A list of heads gives the area that a person is responsible for, not their home.
        names_office_only = one.row.named and one.row.household.room is None
        if not names_office_only and not _lives_there(book, one.row.household, town):
            reading.warn("room|address|building", problem("known_home_differs"))
        # A person whom this roster registers gets the roles of all of their rows.
        if one.person_id not in entered and one.row.roles - one.row.named - book.roles:
            reading.warn("note|post", problem("known_role_differs"))


def _of_row(one: Resident, home: Mapping[str, str]) -> _Registered:
    """A person of the roster as they will be registered."""
    row = one.row
    return _Registered(
        id=one.person_id, status="active",
        identity_index=vault.blind_index(row.identity, "identity") if row.identity else None,
        phone_index=vault.blind_index(row.phone, "phone") if row.phone else None, room=row.household.room or "",
        places=dict(home),
        roles=frozenset(map(str, row.roles)),
    )  # fmt: skip


def _lives_there(book: _Registered, home: Household, town: AreaIndex) -> bool:
    """Whether the registered home agrees with every part of the home that the roster gives."""
    written = Address(home.grid, home.building, home.unit)
    said = (town.meant(written) or written)._asdict()
    same = all(book.places.get(kind) == name for kind, name in said.items() if name)
    return same and (home.room is None or home.room == book.room)


async def _registered(scope: Scope, person_ids: Sequence[UUID]) -> list[_Registered]:
    town = AreaIndex(await areas_of(scope))
    offices = await role_grants_of(scope, person_ids)
    found = await database.fetch(
        "SELECT p.id, p.status, p.identity_index, p.phone_index, h.room, h.area_id FROM person p "
        "LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "WHERE p.community_id = $1 AND p.id = ANY ($2)",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return [
        _Registered(
            id=row["id"], status=row["status"], identity_index=row["identity_index"], phone_index=row["phone_index"],
            room=row["room"],
            places={area.kind: normal_name(area) for area in town.upwards(row["area_id"])},
            roles=frozenset(office.role for office in offices.get(row["id"], [])),
        )
        for row in found
    ]  # fmt: skip
