"""Finding and opening residents, within the caller's visibility.

Administrators and auditors see everybody; grid workers the people of their grid; building and unit heads the names and
areas of their people; keepers only the person whose full name they give together with the last four digits of the
phone or the room; residents only themselves and the children in their care.
"""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.areas.addresses import area_in_words
from timebank.core import audit, database, names, vault
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.paging import BadCursor, Count, Page, make_page, read_cursor
from timebank.core.scope import HEADS, Role, Scope
from timebank.people.finding.found_by import add_typed
from timebank.people.guardianship.guardians import is_guardian
from timebank.people.identity.ages import is_guarded
from timebank.people.identity.citizen_number import masked_identity
from timebank.people.identity.phones import masked_phone
from timebank.people.reads import note_children
from timebank.people.schemas import PersonDetail, PersonLine, Sex, Status

AREA_IN_WORDS = area_in_words("place")
PEOPLE = """
FROM person p LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id
LEFT JOIN area place ON place.community_id = h.community_id AND place.id = h.area_id
"""


class Visibility(msgspec.Struct, frozen=True):
    """Which people a caller may list: those of `areas` with phone and room, those of `headed` without."""

    everybody: bool
    areas: list[UUID]
    headed: list[UUID]

    @property
    def anybody(self) -> bool:
        return self.everybody or bool(self.areas or self.headed)


def visibility_of(scope: Scope) -> Visibility:
    """The visibility that the caller's roles give in this community."""
    held = [g for g in scope.here() if g.area_id is not None]
    return Visibility(
        scope.reads_all,
        [g.area_id for g in held if g.role == Role.grid_worker and g.area_id],
        [g.area_id for g in held if g.role in HEADS and g.area_id],
    )


class _Line(msgspec.Struct, kw_only=True):
    id: UUID
    name: str
    pinyin: str
    area: str | None
    room: str | None
    phone_sealed: bytes | None
    status: Status
    born_on: date | None
    near: bool


def _shown(line: _Line) -> PersonLine:
    phone = masked_phone(vault.unseal(line.phone_sealed, "phone")) if line.near and line.phone_sealed else None
    return PersonLine(
        id=line.id,
        name=line.name,
        area=line.area,
        room=line.room if line.near else None,
        phone=phone,
        status=line.status,
        is_child=is_guarded(line.born_on),
    )


def asked_people(
    scope: Scope, *, q: str = "", area_id: UUID | None = None, status: Status | None = None
) -> tuple[Filters, str]:
    """The conditions of the people that the caller may list, and the one for seeing phone and room of one of them.

    Raises Forbidden for a caller who may list nobody.
    """
    sight = visibility_of(scope)
    if not sight.anybody:
        raise Forbidden
    asked = Filters(scope.community_id)
    near = "true" if sight.everybody else f"coalesce(place.path && {asked.mark(sight.areas)}, false)"
    if not sight.everybody:
        asked.add("place.path && {}", [*sight.areas, *sight.headed])
    add_typed(asked, q, near)
    asked.add_given("{} = ANY (place.path)", area_id)
    asked.add_given("p.status = {}", status)
    return asked, near


PEOPLE_MAX = 10_000
"""Above the residents of any community: a list of people is as long as its figure on the overview says."""


@retried
async def list_people(
    scope: Scope, *, q: str = "", area_id: UUID | None = None, status: Status | None = None,
    limit: int = 50, cursor: str | None = None,
) -> Page[PersonLine]:  # fmt: skip
    """The people that the caller may list, sorted by pinyin. Raises Forbidden for a caller who may list nobody.

    `q` is what `add_typed` takes. A list with children is audited.
    """
    asked, near = asked_people(scope, q=q, area_id=area_id, status=status)
    async with transaction(scope):
        asked.add_after("p.pinyin, p.id", ">", await sort_place(scope, cursor))
        found = await database.rows(
            _Line,
            f"SELECT p.id, p.name, p.pinyin, {AREA_IN_WORDS} AS area, h.room, p.phone_sealed, p.status, p.born_on, "
            f"{near} AS near {PEOPLE} WHERE p.community_id = $1{asked.sql} "
            f"ORDER BY p.pinyin, p.id LIMIT {most(limit + 1)}",
            *asked.values,
        )
        found_page = make_page(found, limit, lambda line: (line.id,))
        await note_children(scope, "people", [line.id for line in found_page.items if is_guarded(line.born_on)])
    return Page([_shown(line) for line in found_page.items], found_page.next)


async def count_people(
    scope: Scope, *, q: str = "", area_id: UUID | None = None, status: Status | None = None
) -> Count:
    """How many people `list_people` lists, counted no further than PEOPLE_MAX."""
    asked, near = asked_people(scope, q=q, area_id=area_id, status=status)
    async with transaction(scope):
        return await database.count_rows(
            f"SELECT {near} AS near {PEOPLE} WHERE p.community_id = $1{asked.sql}", *asked.values, up_to=PEOPLE_MAX
        )


async def sort_place(scope: Scope, cursor: str | None) -> tuple[str, UUID] | None:
    """Where a page of people begins: the sort key ends with the name, so that the cursor holds the id alone."""
    if (last := read_cursor(cursor, tuple[UUID])) is None:
        return None
    pinyin: str | None = await database.fetch_value(
        "SELECT pinyin FROM person WHERE community_id = $1 AND id = $2", scope.community_id, last[0]
    )
    if pinyin is None:
        raise BadCursor
    return pinyin, last[0]


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    area: str | None
    status: Status
    born_on: date | None
    last4: str | None


class Namesake(PersonLine, kw_only=True):
    """One of those whom a counter has found by name, with address and last four digits."""

    last4: str | None


@retried
async def named_at_counter(scope: Scope, name: str, *, phone_last4: str = "", room: str = "") -> list[Namesake]:
    """The people of this whole name (compared by its key) with these last four digits of the phone or in this room.

    A keeper finds the person at the counter by it; the room serves for people without a phone. Each look-up is audited
    with the person where it found exactly one, never with what was typed.
    """
    if not (scope.kept_stations or visibility_of(scope).everybody):
        raise Forbidden
    async with transaction(scope):
        found = await database.rows(
            _Named,
            f"SELECT p.id, p.name, {AREA_IN_WORDS} AS area, p.status, p.born_on, p.phone_last4 AS last4 {PEOPLE} "
            "WHERE p.community_id = $1 AND p.name_key = $2 AND p.status <> 'left' "
            "AND (p.phone_last4 = nullif($3, '') OR h.room = nullif($4, '')) ORDER BY p.id",
            scope.community_id, names.key(name), phone_last4, names.clean(room),
        )  # fmt: skip
        one = found[0].id if len(found) == 1 else None
        await audit.record(scope, "look_up", "person", one, found=len(found))
    return [
        Namesake(
            id=each.id, name=each.name, area=each.area, room=None, phone=None, status=each.status,
            is_child=is_guarded(each.born_on), last4=each.last4,
        )
        for each in found
    ]  # fmt: skip


class _Record(msgspec.Struct, kw_only=True):
    """A person's row with the household and its area."""

    id: UUID
    name: str
    sex: Sex | None
    born_on: date | None
    relation: str | None
    phone_sealed: bytes | None
    identity_sealed: bytes | None
    household_id: UUID | None
    area_id: UUID | None
    area: str | None
    room: str | None
    head_name: str | None
    publishes_name: bool
    status: Status
    created_at: datetime
    merged_into: UUID | None
    path: list[str] | None


async def _record(scope: Scope, person_id: UUID) -> _Record:
    found = await database.row(
        _Record,
        "SELECT p.id, p.name, p.sex, p.born_on, p.relation, p.phone_sealed, p.identity_sealed, p.household_id, "
        "h.area_id, h.room, h.head_name, p.publishes_name, p.status, p.created_at, p.merged_into, "
        f"place.path::text[] AS path, {AREA_IN_WORDS} AS area {PEOPLE} WHERE p.community_id = $1 AND p.id = $2",
        scope.community_id, person_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


@retried
async def open_person(scope: Scope, person_id: UUID) -> PersonDetail:
    """One person, with the fields that the caller may see. Raises NotFound outside the caller's visibility.

    Audited when the person is a child or the caller an administrator from above the community, except for the caller's
    own record and dependants.
    """
    async with transaction(scope):
        record, sight = await _record(scope, person_id), visibility_of(scope)
        path = {UUID(area) for area in record.path or []}
        own = scope.is_own(person_id) or await is_guardian(scope, person_id)
        near = own or sight.everybody or not path.isdisjoint(sight.areas)
        if not near and path.isdisjoint(sight.headed):
            raise NotFound
        if not own and (is_guarded(record.born_on) or _comes_from_above(scope)):
            await audit.record(scope, "open_person", "person", person_id)
    return _detail(scope, record, near=near, whole=own or scope.administers)


def _comes_from_above(scope: Scope) -> bool:
    return scope.has(Role.street_admin, Role.county_admin) and not scope.has(Role.community_admin)


def _detail(scope: Scope, record: _Record, *, near: bool, whole: bool) -> PersonDetail:
    phone = vault.unseal(record.phone_sealed, "phone") if record.phone_sealed and near else None
    number = vault.unseal(record.identity_sealed, "identity") if record.identity_sealed and whole else None
    return PersonDetail(
        id=record.id,
        community_id=scope.community_id,
        name=record.name,
        sex=record.sex if near else None,
        born_on=record.born_on if near else None,
        relation=record.relation if near else None,
        phone=phone if whole or phone is None else masked_phone(phone),
        identity=masked_identity(number) if number else None,
        household_id=record.household_id if near else None,
        area_id=record.area_id,
        area=record.area,
        room=record.room if near else None,
        head_name=record.head_name if near else None,
        publishes_name=record.publishes_name,
        status=record.status,
        is_child=is_guarded(record.born_on),
        created_at=record.created_at,
        merged_into=record.merged_into,
    )


async def names_of(scope: Scope, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names by id, without a check of the caller's visibility."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id, name FROM person WHERE community_id = $1 AND id = ANY ($2)",
            scope.community_id,
            list(person_ids),
        )
    return {UUID(bytes=record["id"].bytes): record["name"] for record in found}
