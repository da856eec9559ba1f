"""Who is notified of what about a matter, once for each event: its key names the step."""

from collections.abc import Collection, Mapping
from uuid import UUID

from timebank.access.roles.holders import Place, queue_to_holders
from timebank.core import clock, database
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.matters.moving.leaving import pass_on
from timebank.matters.reading.rows import MatterRow
from timebank.matters.schemas import MatterLevel
from timebank.people.messages import Notification, due_at, notify_many, values_of

FINDABLE_MAX = 100
"""How many people with skills are told that something is open to all."""

_HOLDERS: Mapping[MatterLevel, Role] = {
    "grid": Role.grid_head, "community": Role.community_admin, "street": Role.street_admin,
    "county": Role.county_admin,
}  # fmt: skip


def named_in(row: MatterRow) -> dict[str, object]:
    """What every message about a matter may name: nothing that says who has spoken, of a wish also not where."""
    grid = row.grid if row.grid or row.kind == "wish" else row.area
    return {"number": row.number, "category": row.category, "grid": grid}


async def notify_people(
    scope: Scope, row: MatterRow, person_ids: Collection[UUID | None], kind: str, event: UUID | str, **values: object
) -> None:
    """Notify these residents, each once."""
    says = phrase(kind, **named_in(row), **values)
    told = sorted({one for one in person_ids if one})
    key = f"matter:{row.id}:{kind}:{event}"
    await notify_many(scope, [Notification(one, says, key, row.id) for one in told], urgent=row.urgent)


async def notify_reporter(scope: Scope, row: MatterRow, kind: str, event: UUID | str, **values: object) -> None:
    """Notify who spoke and whom it is for; where staff opened it, who typed it."""
    await pass_on(scope, row, kind, event)
    people = [row.reporter_id, row.for_person_id]
    await notify_people(scope, row, people if any(people) else [row.entered_by], kind, event, **values)


def notify_dispatchers(
    scope: Scope, row: MatterRow, level: MatterLevel, kind: str, event: UUID | str, **values: object
) -> None:
    """Notify the dispatchers of a level; where a grid has no head, the community's administrators."""
    queue_to_holders(
        scope, [_HOLDERS[level]], Place(area_id=row.area_id), kind, {**named_in(row), **values},
        f"matter:{row.id}:{kind}:{event}", row.id, urgent=row.urgent,
        otherwise=[Role.community_admin] if level == "grid" else [],
    )  # fmt: skip


async def notify_handler(scope: Scope, row: MatterRow, kind: str, event: UUID | str, **values: object) -> None:
    """Notify whoever handles it: the unit's contacts, the team's leaders, the person and the helpers."""
    people: list[UUID | None] = [row.assignee_id, *row.helpers]
    if row.team_id is not None:
        people += await _notified_of_team(scope, row.team_id, leaders=row.open_to != "team")
    await notify_handlers(scope, row, people, kind, event, **values)


async def notify_handlers(
    scope: Scope, row: MatterRow, people: Collection[UUID | None], kind: str, event: UUID | str, **values: object
) -> None:
    """Notify these people and the contacts of the matter's unit, without the caller."""
    own = set(scope.own_ids)
    await notify_people(scope, row, [one for one in people if one not in own], kind, event, **values)
    if row.unit_id is not None:
        _notify_contacts(scope, row, kind, event, values)


async def notify_findable(scope: Scope, row: MatterRow, kind: str, event: UUID | str) -> None:
    """Notify residents who offer a skill and agreed to be found that something waits for whoever takes it."""
    found = await database.fetch(
        "SELECT DISTINCT k.person_id FROM person_skill k JOIN person p ON p.community_id = k.community_id "  # noqa: S608
        "AND p.id = k.person_id AND p.status = 'active' WHERE k.community_id = $1 AND k.findable "
        f"AND k.withdrawn_at IS NULL ORDER BY k.person_id LIMIT {FINDABLE_MAX}",
        scope.community_id,
    )
    people = {UUID(bytes=each["person_id"].bytes) for each in found} - {row.reporter_id, row.for_person_id}
    await notify_people(scope, row, people, kind, event)


async def _notified_of_team(scope: Scope, team_id: UUID, *, leaders: bool) -> list[UUID]:
    """Who of a team is notified of its matters: all members, or its leaders."""
    found = await database.fetch(
        "SELECT person_id FROM team_member WHERE community_id = $1 AND team_id = $2 AND joined_on IS NOT NULL "
        "AND left_on IS NULL AND (leads OR NOT $3) ORDER BY person_id",
        scope.community_id, team_id, leaders,
    )  # fmt: skip
    return [UUID(bytes=each["person_id"].bytes) for each in found]


def _notify_contacts(
    scope: Scope, row: MatterRow, kind: str, event: UUID | str, values: Mapping[str, object]
) -> None:  # fmt: skip
    """Notify the contacts of its unit who serve this community, each in the community where they live."""
    now = clock.now()
    database.queue(
        database.change(
            "SELECT tell_contacts($1, $2, $3, $4, $5, $6, $7::text[]::uuid[], $8, $9, $10, $11)",
            scope.community_id, row.unit_id, now, due_at(now, urgent=row.urgent), clock.local_day(), row.urgent,
            database.as_texts(scope.own_ids), kind, values_of(phrase(kind, **named_in(row), **values)),
            f"matter:{row.id}:{kind}:{event}", row.id,
        )
    )  # fmt: skip
