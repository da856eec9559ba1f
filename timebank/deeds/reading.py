"""Reading deeds. A deed that the caller may not see is answered as NotFound."""

from uuid import UUID

from timebank.areas.addresses import area_in_words
from timebank.core import database
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import NEWEST, Count, Order, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.deeds.parties import readable_deeds
from timebank.deeds.schemas import Deed, DeedOut, DeedStatus
from timebank.inbox.kinds import Asked, add_batch, undecided
from timebank.people.locks import lock_people, require_locked

_DEED = f"""
SELECT d.id, d.person_id, p.name AS person, p.household_id, d.area_id, a.path AS area_path,
       {area_in_words("a")} AS area,
       d.rule_code, d.rule_version, r.name AS rule, d.points, d.points_reason, d.occurred_on,
       d.note, d.note_said, d.witness_id, w.name AS witness, d.witness_answer, d.witness_note,
       d.witness_answered_at, d.filed_by, f.name AS filed_by_name, d.status, d.review_note, d.reviewed_by,
       d.reviewed_at, d.notice_from, d.notice_until, d.entry_id, d.created_at, d.source_kind, d.source_id,
       r.notice_days,
       (SELECT count(*) FROM objection o WHERE o.community_id = d.community_id AND o.subject_kind = 'deed'
        AND o.subject_id = d.id AND o.upheld IS NULL) AS open_objections
FROM deed d
JOIN person p ON p.community_id = d.community_id AND p.id = d.person_id
JOIN area a ON a.community_id = d.community_id AND a.id = d.area_id
JOIN rule r ON r.community_id = d.community_id AND r.code = d.rule_code AND r.version = d.rule_version
LEFT JOIN person w ON w.community_id = d.community_id AND w.id = d.witness_id
LEFT JOIN person f ON f.community_id = d.community_id AND f.id = d.filed_by
WHERE d.community_id = $1
"""  # noqa: S608


def _seen(scope: Scope, *, own: bool = False, withdrawn: bool = False) -> Filters:
    """The deeds that the caller may see; `own` leaves those that name the caller, `withdrawn` adds withdrawn ones.

    Only administrators and auditors may see a withdrawn one.
    """
    everything, areas, names = readable_deeds(scope)
    seen = Filters(scope.community_id)
    if own or not everything:
        seen.add_any(
            ("a.path && {}", [] if own else areas), ("d.person_id = ANY ({})", names),
            ("d.filed_by = ANY ({})", names), ("d.witness_id = ANY ({})", names),
        )  # fmt: skip
    if own or not (everything and withdrawn):
        seen.add("d.status <> 'withdrawn'")
    return seen


async def find_deed(scope: Scope, deed_id: UUID) -> Deed:
    """A deed that the caller may see; a withdrawn one is visible to administrators and auditors. Raises NotFound."""
    seen = _seen(scope, withdrawn=True)
    seen.add("d.id = {}", deed_id)
    async with transaction(scope):
        deed = await database.row(Deed, f"{_DEED}{seen.sql}", *seen.values)
    if deed is None:
        raise NotFound
    return deed


async def lock_deed(scope: Scope, deed_id: UUID) -> Deed:
    """Lock the rows of the deed's person and of the deed, in this order, and return the deed as it is now.

    Checks no permission. Raises NotFound, also for a withdrawn deed.
    """
    people = await database.fetch(
        "SELECT person_id FROM deed WHERE community_id = $1 AND id = $2", scope.community_id, deed_id
    )
    locked = [UUID(bytes=row["person_id"].bytes) for row in people]
    await lock_people(scope, locked)
    await database.execute(
        "SELECT FROM deed WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, deed_id
    )
    deed = await database.row(Deed, _DEED + " AND d.id = $2 AND d.status <> 'withdrawn'", scope.community_id, deed_id)
    if deed is None:
        raise NotFound
    require_locked(deed.person_id, locked)
    return deed


async def list_deeds(
    scope: Scope, *, status: DeedStatus | None = None, own: bool = False, person_id: UUID | None = None,
    order: Order = NEWEST, limit: int = 50, cursor: str | None = None,
) -> Page[Deed]:  # fmt: skip
    """Deeds that the caller may see, newest first unless `order` is OLDEST.

    Heads and grid workers see those of their area, everybody their own. `own` limits the list to deeds that name the
    caller, `person_id` to those credited to one person. Withdrawn ones are listed only to administrators and auditors
    who ask for that status.
    """
    seen = _seen(scope, own=own, withdrawn=status == "withdrawn")
    seen.add_word("d.status = {}", status)
    seen.add_given("d.person_id = {}", person_id)
    seen.add_after("d.id", order.comparison, read_cursor(cursor, tuple[UUID]))
    in_order = f"{_DEED}{seen.sql} ORDER BY d.id {order.direction} LIMIT {most(limit + 1)}"
    async with transaction(scope):
        if own or not scope.reads_all:
            await database.plan_anew()  # No index has the filer or the witness, so it matters who they are.
        found = await database.rows(Deed, in_order, *seen.values)
    return make_page(found, limit, lambda deed: (deed.id,))


async def count_deeds(scope: Scope, *, status: DeedStatus, person_id: UUID | None = None) -> Count:
    """How many deeds `list_deeds` lists to the caller."""
    seen = _seen(scope, withdrawn=status == "withdrawn")
    seen.add_word("d.status = {}", status)
    seen.add_given("d.person_id = {}", person_id)
    near = "" if scope.reads_all else " JOIN area a ON a.community_id = d.community_id AND a.id = d.area_id"
    async with transaction(scope):
        return await database.count_rows(f"SELECT FROM deed d{near} WHERE d.community_id = $1{seen.sql}", *seen.values)


async def deeds_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[Deed]:
    """The deeds of one person, newest first, for administrators and auditors."""
    scope.require_reader()
    return await list_deeds(scope, person_id=person_id, limit=20, cursor=reading.cursor)


def filed(scope: Scope, asked: Asked) -> Filters:
    """The filed deeds (`d`) that match and that no decision about many has chosen."""
    to = Filters(scope.community_id)
    to.add("d.status = 'filed'")
    to.add_given("d.rule_code = {}", asked.rule)
    to.add_given("d.occurred_on >= {}", asked.since)
    to.add_given("d.occurred_on <= {}", asked.until)
    to.add_given("d.witness_answer = {}", asked.flag)
    if asked.doubtful:
        to.add("d.witness_answer = 'denied'")
    add_batch(asked, to, "d.id")
    to.sql += f" AND {undecided('d.id')}"
    return to


async def list_filed_deeds(
    scope: Scope, asked: Asked, *, limit: int = 50, cursor: str | None = None
) -> Page[Deed]:  # fmt: skip
    """The filed deeds that wait, those that their witness denied first, then the oldest. Checks no permission."""
    to = filed(scope, asked)
    answered = "d.witness_answer IS DISTINCT FROM 'denied'"
    to.add_after(f"{answered}, d.id", ">", read_cursor(cursor, tuple[bool, UUID]))
    oldest = f"{_DEED}{to.sql} ORDER BY {answered}, d.id LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(Deed, oldest, *to.values)
    return make_page(found, limit, lambda deed: (deed.witness_answer != "denied", deed.id))


async def count_waiting(scope: Scope) -> dict[str, int]:
    """The number of deeds in the caller's areas that wait for a decision, by status: filed, objected."""
    everything, areas, _ = readable_deeds(scope)
    asked = Filters(scope.community_id)
    if not everything:
        asked.add_any(("a.path && {}", areas))
    async with transaction(scope):
        found = await database.fetch(
            "SELECT d.status, count(*) AS waiting FROM deed d "  # noqa: S608  # no input
            "JOIN area a ON a.community_id = d.community_id AND a.id = d.area_id "
            f"WHERE d.community_id = $1 AND d.status IN ('filed', 'objected'){asked.sql} GROUP BY d.status",
            *asked.values,
        )
    return {row["status"]: row["waiting"] for row in found}


async def list_deeds_out(
    scope: Scope, *, status: DeedStatus | None = None, limit: int = 50, cursor: str | None = None,
    language: str = "zh",
) -> Page[DeedOut]:  # fmt: skip
    """Deeds that the caller may see, newest first, as the API returns them."""
    found = await list_deeds(scope, status=status, limit=limit, cursor=cursor)
    return Page([DeedOut.of(deed, language) for deed in found.items], found.next)
