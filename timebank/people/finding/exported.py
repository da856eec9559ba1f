"""The list of people as rows of a workbook, with the headings by which the roster import reads them again."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import database, vault
from timebank.core.database import most, retried, transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.paging import Page, make_page
from timebank.core.scope import Scope
from timebank.people.directory import PEOPLE, asked_people, sort_place
from timebank.people.identity.ages import is_guarded
from timebank.people.reads import note_children
from timebank.people.schemas import Sex, Status


class PeopleAsked(msgspec.Struct):
    """The filters of the list of people, as its form sends them."""

    q: str = ""
    area_id: UUID | None = None
    status: Status | None = None


class _Row(msgspec.Struct, kw_only=True):
    id: UUID
    name: str
    sex: Sex | None
    born_on: date | None
    grid: str | None
    building: str | None
    unit: str | None
    room: str | None
    head_name: str | None
    relation: str | None
    phone_sealed: bytes | None

    def cells(self) -> tuple[object, ...]:
        phone = vault.unseal(self.phone_sealed, "phone") if self.phone_sealed else None
        return (
            self.name, self.sex, self.born_on, self.grid, self.building, self.unit, self.room, self.head_name,
            self.relation, phone,
        )  # fmt: skip


def _part(kind: str) -> str:
    return (
        "(SELECT step.name FROM area step WHERE step.community_id = place.community_id "  # noqa: S608
        f"AND step.id = ANY (place.path) AND step.kind = '{kind}')"
    )


_CELLS = ", ".join(f"{_part(kind)} AS {kind}" for kind in ("grid", "building", "unit"))


@retried
async def people_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the people whom these filters find, for an administrator; phones in full, no identity numbers."""
    scope.require_admin()
    try:
        wanted = msgspec.convert(dict(filters), PeopleAsked, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(why=_("筛选的条件不对")) from error
    asked, _near = asked_people(scope, q=wanted.q, area_id=wanted.area_id, status=wanted.status)
    async with transaction(scope):
        asked.add_after("p.pinyin, p.id", ">", await sort_place(scope, cursor))
        found = await database.rows(
            _Row,
            f"SELECT p.id, p.name, p.sex, p.born_on, {_CELLS}, h.room, h.head_name, p.relation, p.phone_sealed "
            f"{PEOPLE} WHERE p.community_id = $1{asked.sql} ORDER BY p.pinyin, p.id LIMIT {most(limit + 1)}",
            *asked.values,
        )
        page = make_page(found, limit, lambda row: (row.id,))
        await note_children(scope, "people", [row.id for row in page.items if is_guarded(row.born_on)])
    return Page([row.cells() for row in page.items], page.next)
