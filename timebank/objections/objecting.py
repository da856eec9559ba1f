"""Objections: residents object to what is on the public board; an administrator who is no party decides."""

from uuid import UUID

from timebank.agreements.independence import is_caller
from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.objections.objectors import notify_objector, objector_of, require_may_object
from timebank.objections.schemas import ObjectionOut, Raised
from timebank.objections.subjects import lock_parties, subject_of
from timebank.objections.tables import Objection


class AlreadyObjected(TimebankError):
    code = "already_objected"
    status = 409
    sentence = "您已经对它提出过异议，社区会给出决定，不用再提。"
    constraint = "objection_once"


_COLUMNS = "id, subject_kind, subject_id, person_id, reason, created_at, upheld, decided_at, decision_note, entered_by"


@retried
async def object_to(
    scope: Scope, kind: str, subject_id: UUID, reason: str, resident_id: UUID | None = None
) -> ObjectionOut:
    """Object to a subject on the public board, once per resident; its credit waits for the decision.

    The person of a reversed one may object to the reversal. Staff may object in a resident's name. Raises NotFound,
    NotOnNotice, OwnDeed, AlreadyObjected, TooManyObjections.
    """
    objector, subject = objector_of(scope, resident_id), subject_of(kind)
    async with transaction(scope):
        await require_may_object(scope, objector)
        parties = await lock_parties(scope, kind, subject_id)
        subject.may_object(parties, objector == parties.person_id)
        raised = await _raise(scope, kind, subject_id, objector, reason, parties.person_id)
        if raised.entered_by is not None:
            await notify_objector(scope, objector, raised.id, kind)
        if parties.stage == "published":
            await subject.hold(scope, raised)
        return raised.out()


async def _raise(scope: Scope, kind: str, subject_id: UUID, objector: UUID, reason: str, about: UUID) -> Raised:
    raised = Raised(
        id=clock.new_id(), subject_kind=kind, subject_id=subject_id, person_id=objector, reason=reason,
        created_at=clock.now(), upheld=None, decided_at=None, decision_note=None,
        entered_by=None if is_caller(scope, objector) else scope.actor_id,
    )  # fmt: skip
    await Objection.insert(
        Objection(
            community_id=scope.community_id, id=raised.id, subject_kind=kind, subject_id=subject_id,
            person_id=objector, reason=reason, created_at=raised.created_at, upheld=None, decided_by=None,
            decided_at=None, decision_note=None, entered_by=raised.entered_by,
        )
    )  # fmt: skip
    await audit.record(scope, "object", kind, subject_id, about_id=about, objection=raised.id)
    return raised


async def own_objection(scope: Scope, kind: str, subject_id: UUID) -> ObjectionOut | None:
    """The caller's own objection to this subject, with its decision; None where there is none."""
    async with transaction(scope):
        found = await database.row(
            Raised,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND subject_kind = $2 AND subject_id = $3 "  # noqa: S608  # own columns
            "AND person_id = $4",
            scope.community_id, kind, subject_id, scope.require_self(),
        )  # fmt: skip
    return found.out() if found else None


async def list_objections(
    scope: Scope, *, undecided: bool = False, limit: int = 50, cursor: str | None = None
) -> Page[ObjectionOut]:
    """Objections in the community, oldest first, for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    if undecided:
        asked.add("upheld IS NULL")
    asked.add_after("id", ">", read_cursor(cursor, tuple[UUID]))
    async with transaction(scope):
        found = await database.rows(
            Raised,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1{asked.sql} "  # noqa: S608  # own columns
            f"ORDER BY id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    return make_page([raised.out() for raised in found], limit, lambda objection: (objection.id,))


async def read_objection(scope: Scope, objection_id: UUID) -> Raised:
    """An objection as it is now. Checks no permission. Raises NotFound."""
    raised = await database.row(
        Raised,
        f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND id = $2",  # noqa: S608  # own columns
        scope.community_id, objection_id,
    )  # fmt: skip
    if raised is None:
        raise NotFound
    return raised


async def is_objected(scope: Scope, kind: str, subject_id: UUID) -> bool:
    """Whether an objection to this subject still waits for its decision."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND subject_kind = $2 AND subject_id = $3 "
        "AND upheld IS NULL)",
        scope.community_id, kind, subject_id,
    )  # fmt: skip
    return found
