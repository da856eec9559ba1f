"""Objections: residents object to what is on the public board; an administrator who is no party decides."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.deeds.objections.objectors import notify_objector, objector_of, require_may_object
from timebank.deeds.parties import is_caller
from timebank.deeds.reading import lock_deed
from timebank.deeds.schemas import Deed, ObjectionOut
from timebank.deeds.tables import Deed as DeedTable
from timebank.deeds.tables import Objection
from timebank.people.messages import notify
from timebank.service_records.objection_effects import lock_record


class NotOnNotice(TimebankError):
    code = "not_on_notice"
    status = 409
    sentence = "它现在不在公示期，不能提出异议。有疑问请找社区管理员。"


class OwnDeed(TimebankError):
    code = "own_deed"
    status = 403
    sentence = "这是您自己的记录。要更正，请找登记人或社区管理员。"


class AlreadyObjected(TimebankError):
    code = "already_objected"
    status = 409
    sentence = "您已经对它提出过异议，社区会给出决定，不用再提。"
    constraint = "objection_once"


class ObjectionDecided(TimebankError):
    code = "objection_already_decided"
    status = 409
    sentence = "这条异议已经有人决定了，没有再改。"


class LockedObjection(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    deed_id: UUID | None
    service_record_id: UUID | None
    person_id: UUID
    reason: str
    created_at: datetime
    upheld: bool | None
    decided_at: datetime | None
    decision_note: str | None
    entered_by: UUID | None

    def out(self) -> ObjectionOut:
        known = msgspec.structs.asdict(self)
        return ObjectionOut(**{name: known[name] for name in ObjectionOut.__struct_fields__ if name in known})


_COLUMNS = (
    "id, deed_id, service_record_id, person_id, reason, created_at, upheld, decided_at, decision_note, entered_by"
)


@retried
async def object_to_deed(scope: Scope, deed_id: UUID, reason: str, resident_id: UUID | None = None) -> ObjectionOut:
    """Object to a deed on the public board, once per resident; its credit waits for the decision.

    The person of a reversed deed may object to the reversal. Staff may object in a resident's name. Raises NotOnNotice,
    OwnDeed, AlreadyObjected, TooManyObjections.
    """
    objector = objector_of(scope, resident_id)
    async with transaction(scope):
        await require_may_object(scope, objector)
        deed = await lock_deed(scope, deed_id)
        is_own = objector == deed.person_id
        if deed.status == "reversed" and is_own:
            return await _object(scope, objector, reason, deed_id=deed_id)
        if deed.status not in ("noticed", "objected"):
            raise NotOnNotice
        if is_own:
            raise OwnDeed
        objection = await _object(scope, objector, reason, deed_id=deed_id)
        await set_objected_status(scope, deed, "objected")
        await notify(
            scope, deed.person_id, "deed_objected", f"deed:{deed.id}:objected:{objection.id}", deed.id,
            rule=deed.rule, day=deed.occurred_on,
        )  # fmt: skip
        return objection


@retried
async def object_to_record(scope: Scope, record_id: UUID, reason: str, resident_id: UUID | None = None) -> ObjectionOut:
    """Object to an honour record on the public board, once per resident; its credit waits for the decision.

    The person of a reversed record of any kind may object to the reversal. Staff may object in a resident's name.
    Raises NotOnNotice, OwnDeed, AlreadyObjected, TooManyObjections.
    """
    objector = objector_of(scope, resident_id)
    async with transaction(scope):
        await require_may_object(scope, objector)
        record = await lock_record(scope, record_id)
        is_own = objector == record.person_id
        if record.status == "reversed" and is_own:
            return await _object(scope, objector, reason, record_id=record_id)
        if record.status != "noticed":
            raise NotOnNotice
        if is_own:
            raise OwnDeed
        objection = await _object(scope, objector, reason, record_id=record_id)
        key = f"service:{record.id}:objected:{objection.id}"
        await notify(scope, record.person_id, "record_objected", key, record.id)
        return objection


async def _object(
    scope: Scope, objector: UUID, reason: str, *, deed_id: UUID | None = None, record_id: UUID | None = None
) -> ObjectionOut:
    entered_by = None if is_caller(scope, objector) else scope.actor_id
    objection = LockedObjection(
        id=clock.new_id(), deed_id=deed_id, service_record_id=record_id, person_id=objector, reason=reason,
        created_at=clock.now(), upheld=None, decided_at=None, decision_note=None, entered_by=entered_by
    )  # fmt: skip
    await Objection.insert(
        Objection(
            community_id=scope.community_id, id=objection.id, deed_id=deed_id, service_record_id=record_id,
            person_id=objector, reason=reason, created_at=objection.created_at, upheld=None, decided_by=None,
            decided_at=None, decision_note=None, entered_by=entered_by,
        )
    )  # fmt: skip
    noun, noun_id = ("deed", deed_id) if deed_id else ("service_record", record_id)
    await audit.record(scope, "object", noun, noun_id, objection=objection.id)
    if entered_by is not None:
        await notify_objector(scope, objector, objection.id, noun)
    return objection.out()


async def own_objection(scope: Scope, record_id: UUID) -> ObjectionOut | None:
    """The caller's own objection to a service record, with its decision; None where there is none."""
    async with transaction(scope):
        found = await database.row(
            LockedObjection,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND service_record_id = $2 AND person_id = $3",  # noqa: S608  # own columns
            scope.community_id, record_id, scope.require_self(),
        )  # fmt: skip
    return found.out() if found else None


async def list_objections(
    scope: Scope, *, undecided: bool = False, limit: int = 50, cursor: str | None = None
) -> Page[ObjectionOut]:
    """Objections in the community, oldest first, for administrators and auditors."""
    scope.require_reader()
    after = read_cursor(cursor, tuple[UUID])
    async with transaction(scope):
        found = await database.rows(
            LockedObjection,
            f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND (NOT $2 OR upheld IS NULL) "  # noqa: S608  # own columns
            "AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4",
            scope.community_id, undecided, after[0] if after else None, limit + 1,
        )  # fmt: skip
    return make_page([objection.out() for objection in found], limit, lambda objection: (objection.id,))


async def lock_objection(scope: Scope, objection_id: UUID) -> LockedObjection:
    objection = await database.row(
        LockedObjection,
        f"SELECT {_COLUMNS} FROM objection WHERE community_id = $1 AND id = $2",  # noqa: S608  # own columns
        scope.community_id, objection_id,
    )  # fmt: skip
    if objection is None:
        raise NotFound
    return objection


async def is_record_objected(scope: Scope, record_id: UUID) -> bool:
    """Whether an objection to a record still waits for its decision."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM objection WHERE community_id = $1 AND service_record_id = $2 AND upheld IS NULL)",
        scope.community_id, record_id,
    )  # fmt: skip
    return found


async def set_objected_status(scope: Scope, deed: Deed, status: str) -> None:
    await DeedTable.update({DeedTable.status: status}).where(
        (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
    )
