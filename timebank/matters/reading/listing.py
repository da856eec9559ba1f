"""Lists of matters as far as the caller may see them; a unit's contact sees their unit's in every community."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import Filters, transaction
from timebank.core.paging import Count, Page, make_page, read_cursor
from timebank.core.scope import Role, Scope
from timebank.matters.loop.deciding import Standing, may
from timebank.matters.reading.rows import MatterRow, select_page
from timebank.matters.reading.seeing import view_of
from timebank.matters.reading.served import Served, add_served, places_of, units_served
from timebank.matters.reading.shown import MatterOut, shown
from timebank.matters.reading.standing import facts_from, known_of
from timebank.matters.schemas import MattersAsked
from timebank.policies.values import Policies

_HELPS = (
    "EXISTS (SELECT FROM matter_helper h WHERE h.community_id = m.community_id AND h.matter_id = m.id "
    "AND h.left_at IS NULL AND h.person_id = ANY ({}::text[]::uuid[]))"
)
_IN_TEAM = (
    "m.team_id IN (SELECT t.team_id FROM team_member t WHERE t.community_id = m.community_id "
    "AND t.joined_on IS NOT NULL AND t.left_on IS NULL AND t.person_id = ANY ({}::text[]::uuid[]))"
)
_IN_AREAS = "m.area_id IN (SELECT a.id FROM area a WHERE a.community_id = $1 AND a.path && {}::text[]::uuid[])"
_BELOW = (
    "EXISTS (SELECT FROM area a WHERE a.community_id = m.community_id AND a.id = m.area_id "
    "AND a.path @> ARRAY[{}::uuid])"
)
_COUNTED = "SELECT FROM matter m WHERE "
_OPEN = "m.status IN ('received', 'dispatched', 'accepted')"


async def list_matters(
    scope: Scope, asked: MattersAsked, *, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[MatterOut]:
    """The matters that the caller may see and asks for: those still open by their due date, others newest first.

    Who only handles for a unit sees that unit's matters in every community that the unit serves.
    """
    if _is_only_contact(scope, asked):
        served = await units_served(scope)
        return await list_served(scope, served, asked, limit=limit, cursor=cursor, language=language)
    scope.require_use("matters")
    seen = Filters(scope.community_id)
    _add_seen(seen, scope, asked)
    _add_asked(seen, asked)
    order, by_due = _order(seen, asked, cursor)
    async with transaction(scope):
        found = await database.rows(
            MatterRow, select_page(f"m.community_id = $1{seen.sql}", order, limit + 1), *seen.values
        )
        page = make_page(found, limit, lambda row: (row.due_at if by_due else row.received_at, row.id))
        return Page(await shown_many(scope, page.items, language), page.next)


async def count_listed(scope: Scope, asked: MattersAsked) -> Count:
    """How many matters the same list has, counted no further than a page says."""
    if _is_only_contact(scope, asked):
        return await _count_served(scope, await units_served(scope), asked)
    scope.require_use("matters")
    seen = Filters(scope.community_id)
    _add_seen(seen, scope, asked)
    _add_asked(seen, asked)
    async with transaction(scope):
        return await database.count_rows(f"{_COUNTED}m.community_id = $1{seen.sql}", *seen.values)


async def shown_many(scope: Scope, rows: Sequence[MatterRow], language: str = "zh") -> list[MatterOut]:
    """These matters as the caller sees them, without those that they do not."""
    if not rows:
        return []
    known, told = await known_of(scope, rows), []
    for row in rows:
        caller = known.standing(scope, row)
        if view := view_of(scope, row, caller):
            told.append(shown(scope, row, caller, view, may=may(known.facts(row), caller), language=language))
    return told


def _is_only_contact(scope: Scope, asked: MattersAsked) -> bool:
    """Whether the caller asks as a contact: they hold such a grant somewhere, none that reads here, and do not ask for
    what is their own as a resident's."""
    if asked.mine or asked.offered or asked.assignee:
        return False
    holds = any(grant.role == Role.unit_contact for grant in scope.grants)
    return holds and not (scope.reads_all or scope.has(Role.grid_worker, Role.grid_head))


def _add_seen(seen: Filters, scope: Scope, asked: MattersAsked) -> None:
    """What the caller may see here at all: everything, their areas, their own, their units', what they handle."""
    if scope.reads_all and not (asked.mine or asked.offered or asked.assignee):
        return
    own = database.as_texts(scope.stood_for)
    areas = database.as_texts(
        g.area_id for g in scope.here() if g.area_id and g.role in (Role.grid_worker, Role.grid_head)
    )
    mine = (
        ("m.reporter_id = ANY ({}::text[]::uuid[])", own),
        ("m.for_person_id = ANY ({}::text[]::uuid[])", own),
        ("m.entered_by = ANY ({}::text[]::uuid[])", own),
    )
    handled = (
        ("m.assignee_id = ANY ({}::text[]::uuid[])", own),
        (_HELPS, own),
        ("m.unit_id = ANY ({}::text[]::uuid[])", database.as_texts(scope.unit_ids)),
    )
    team = (_IN_TEAM, own)
    if asked.mine:
        seen.add_any(*mine)
    elif asked.assignee:
        seen.add_any(*handled)
    elif asked.offered:
        seen.add("m.status = 'dispatched'")
        seen.add_any(team, ("m.open_to = 'all' AND {}::text[] IS NOT NULL", own), *handled)
    else:
        seen.add_any(*mine, *handled, team, (_IN_AREAS, areas))


def _add_asked(seen: Filters, asked: MattersAsked) -> None:
    seen.add_word("m.status = {}", asked.status)
    if asked.open or asked.late or asked.today:
        seen.add(_OPEN)
    if asked.late:
        seen.add("m.due_at < {}", clock.now())
    if asked.today:
        seen.add("m.due_at >= {} AND m.due_at < {}", clock.now(), clock.day_bounds(clock.local_day())[1])
    if asked.unverified:
        seen.add("m.status = 'closed' AND m.verified IS NULL")
    seen.add_word("m.kind = {}", asked.kind)
    seen.add_given("m.unit_id = {}", asked.unit_id)
    seen.add_given("m.team_id = {}", asked.team_id)
    seen.add_given("m.category_code = {}", asked.category)
    seen.add_given(_BELOW, asked.area_id)
    if asked.since is not None:
        seen.add("m.received_at >= {}", clock.day_bounds(asked.since)[0])
    if asked.q is not None and (digits := "".join(asked.q.split())):
        seen.add("(m.number = {} OR m.external_number = {})", digits, digits)


def _order(seen: Filters, asked: MattersAsked, cursor: str | None) -> tuple[str, bool]:
    """Go on from the cursor; return the order of the list, and whether it is by due date, as of all that is open."""
    by_due = (
        asked.open
        or asked.late
        or asked.today
        or asked.offered
        or asked.status in ("received", "dispatched", "accepted")
    )
    after = read_cursor(cursor, tuple[datetime, UUID])
    column, direction, comparison = ("m.due_at", "", ">") if by_due else ("m.received_at", " DESC", "<")
    seen.add_after(f"{column}, m.id", comparison, after)
    return f"{column}{direction}, m.id{direction}", by_due


async def list_served(
    scope: Scope, served: Sequence[Served], asked: MattersAsked, *, limit: int = 50, cursor: str | None = None,
    language: str = "zh",
) -> Page[MatterOut]:  # fmt: skip
    """The matters of the units that the caller is the contact of, in the communities in which each is served."""
    if not served:
        return Page([])
    seen = _of_served(served, asked)
    order, by_due = _order(seen, asked, cursor)
    async with transaction(scope, communities=frozenset(places_of(served))):
        found = await database.rows(MatterRow, select_page(f"true{seen.sql}", order, limit + 1), *seen.values)
    page = make_page(found, limit, lambda row: (row.due_at if by_due else row.received_at, row.id))
    return Page([_for_contact(row, language) for row in page.items], page.next)


async def _count_served(scope: Scope, served: Sequence[Served], asked: MattersAsked) -> Count:
    if not served:
        return Count(0)
    seen = _of_served(served, asked)
    async with transaction(scope, communities=frozenset(places_of(served))):
        return await database.count_rows(f"{_COUNTED}true{seen.sql}", *seen.values)


def _of_served(served: Sequence[Served], asked: MattersAsked) -> Filters:
    seen = Filters()
    add_served(seen, served, "m.unit_id", "m.community_id")
    _add_asked(seen, asked)
    return seen


_HANDLING = Standing(handler=True, leads=True, eligible=True, vetted=True)


def _for_contact(row: MatterRow, language: str) -> MatterOut:
    """A matter as the contact of its unit sees it in a list; its verbs look again at who the caller is."""
    scope = Scope(community_id=row.community_id)
    known = facts_from(row, frozenset(), Policies())
    return shown(scope, row, _HANDLING, "handler", may=may(known, _HANDLING), language=language)


async def community_of_served(scope: Scope, matter_id: UUID) -> UUID | None:
    """The community in which the caller, as a contact, handles this matter; None where they do not."""
    seen, served = Filters(matter_id), await units_served(scope)
    if not served:
        return None
    add_served(seen, served, "m.unit_id", "m.community_id")
    async with transaction(scope, communities=frozenset(places_of(served))):
        found = await database.fetch_value(
            f"SELECT m.community_id FROM matter m WHERE m.id = $1{seen.sql}",  # noqa: S608  # no input
            *seen.values,
        )
    return UUID(bytes=found.bytes) if found else None
