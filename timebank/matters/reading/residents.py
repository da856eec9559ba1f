"""The matters of a resident on their page in the panel: said by them, for them, or handled by them."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.areas.addresses import area_in_words
from timebank.core import database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.matters.words import STATUSES

SHOWN = 30
PARTS = {"said": _("反映人"), "for": _("服务对象"), "handled": _("承办人")}


class MatterOfResident(msgspec.Struct, frozen=True, kw_only=True):
    """A matter in one line; `part` is what the resident is to it and `status` where it stands, both in words."""

    id: UUID
    number: str
    category: str
    area: str
    received_at: datetime
    part: str
    status: str


async def matters_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[MatterOfResident]:
    """A resident's matters, newest first, for administrators and auditors.

    One whose reporter is hidden is left out where it is theirs only by having said it: opening that name is logged.
    """
    scope.require_reader()
    asked = Filters(scope.community_id, person_id)
    asked.add_after("m.received_at, m.id", "<", read_cursor(reading.cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        found = await database.rows(
            MatterOfResident,
            f"SELECT m.id, m.number, c.name AS category, {area_in_words('a')} AS area, m.received_at, "  # noqa: S608  # no input
            "CASE WHEN m.for_person_id = $2 THEN 'for' WHEN m.reporter_id = $2 THEN 'said' ELSE 'handled' END AS part, "
            "m.status FROM matter m JOIN area a ON a.community_id = m.community_id AND a.id = m.area_id "
            "JOIN matter_category c ON c.community_id = m.community_id AND c.code = m.category_code "
            "WHERE m.community_id = $1 AND m.id IN ("
            "SELECT x.id FROM matter x WHERE x.community_id = $1 AND x.reporter_id = $2 AND NOT x.hides_reporter "
            "UNION SELECT x.id FROM matter x WHERE x.community_id = $1 AND x.for_person_id = $2 "
            "UNION SELECT x.id FROM matter x WHERE x.community_id = $1 AND x.assignee_id = $2 "
            "UNION SELECT h.matter_id FROM matter_helper h WHERE h.community_id = $1 AND h.person_id = $2)"
            f"{asked.sql} ORDER BY m.received_at DESC, m.id DESC LIMIT {most(SHOWN + 1)}",
            *asked.values,
        )
    page = make_page(found, SHOWN, lambda one: (one.received_at, one.id))
    return Page([_worded(one, reading.language) for one in page.items], page.next)


def _worded(one: MatterOfResident, language: str) -> MatterOfResident:
    return msgspec.structs.replace(
        one, category=translate(one.category, language), part=translate(PARTS[one.part], language),
        status=translate(STATUSES[one.status], language),
    )  # fmt: skip
