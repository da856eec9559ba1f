"""The people whom the panel's search field finds."""

from timebank.core.capability import Hit
from timebank.core.scope import Scope
from timebank.people.directory import list_people
from timebank.people.schemas import PersonLine


async def people_found(scope: Scope, words: str, most: int) -> list[Hit]:
    """People by name, pinyin, initials or number, as `list_people` finds them, for those who open their pages."""
    if not scope.reads_all:
        return []
    found = await list_people(scope, q=words, limit=most + 1)
    return [Hit(each.name, f"/admin/people/{each.id}", _hint(each)) for each in found.items]


def _hint(line: PersonLine) -> str:
    return " ".join(part for part in (line.area, line.room, line.phone) if part)
