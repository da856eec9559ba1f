"""Correcting, blocking and ending a person's record. The audit keeps reasons and field names, no personal data."""

from uuid import UUID

import msgspec
from msgspec import UNSET
from piccolo.columns import Column

from timebank.core import audit, clock, database, names, vault
from timebank.core.capability import hook
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.core.wording import because, phrase
from timebank.people.enrolment.enrolling import SEX, Nameless, check_agreement, require_areas, require_birth
from timebank.people.households import Doors
from timebank.people.identity.citizen_number import Identity, require_identity
from timebank.people.identity.phones import normal_phone
from timebank.people.messages import notify
from timebank.people.schemas import Correction, Status
from timebank.people.tables import HouseholdMove, Person


class RecordMerged(Conflict):
    code = "record_merged"
    sentence = "这条登记已并到同一个人的另一条。请在那一条上改；并错了的，一天内可以撤回合并。"
    constraint = "person_merged_left"


class PersonRow(msgspec.Struct, frozen=True):
    """A person's row under its lock."""

    id: UUID
    household_id: UUID | None
    name: str
    status: Status
    merged_into: UUID | None


async def lock_person_row(scope: Scope, person_id: UUID) -> PersonRow:
    """Lock a person's row until the transaction ends; NotFound unless it is the caller's own or they read all."""
    found = await database.row(
        PersonRow,
        "SELECT id, household_id, name, status, merged_into FROM person WHERE community_id = $1 AND id = $2 "
        "FOR NO KEY UPDATE",
        scope.community_id, person_id,
    )  # fmt: skip
    if found is None or not (scope.reads_all or scope.is_own(person_id)):
        raise NotFound
    return found


def _require_unmerged(person: PersonRow) -> None:
    if person.merged_into is not None:
        raise RecordMerged


@retried
async def correct(scope: Scope, person_id: UUID, correction: Correction) -> None:
    """Correct a person's record, as an administrator, and notify the person. `status` is left to `set_person_status`.

    A resident may change only `publishes_name` of their own record. Raises RecordMerged for a merged record.
    """
    sent = [
        name
        for name, value in msgspec.structs.asdict(correction).items()
        if value is not UNSET and name not in ("status", "reason")
    ]
    async with transaction(scope):
        person = await lock_person_row(scope, person_id)
        _require_unmerged(person)
        if not (sent == ["publishes_name"] and scope.is_own(person_id)):
            scope.require_admin()
        changed = _words(correction) | _numbers(correction)
        if not {"area_id", "room", "head_name"}.isdisjoint(sent):
            household_id = await _household(scope, person, correction)
            await _keep_where_from(scope, person, household_id)
            changed["household_id"] = household_id
        if changed:
            await Person.update(changed | {"corrected_at": clock.now()}).where(
                (Person.community_id == scope.community_id) & (Person.id == person_id)
            )
            await audit.record(scope, "correct_person", "person", person_id, reason=correction.reason, fields=sent)
            if not scope.is_own(person_id):
                fields = [phrase(f"field.{name}") for name in dict.fromkeys(_SHOWN_AS.get(each, each) for each in sent)]
                await notify(scope, person_id, "person_corrected", f"person:{clock.new_id()}", person_id, fields=fields)


async def _keep_where_from(scope: Scope, person: PersonRow, household_id: UUID | None) -> None:
    """Record the former household: its people cannot be a second person for this one."""
    before = person.household_id
    if before is not None and before != household_id:
        await HouseholdMove.insert(
            HouseholdMove(
                community_id=scope.community_id, id=clock.new_id(), person_id=person.id,
                from_household=before, moved_at=clock.now(), moved_by=scope.actor_id,
            )
        )  # fmt: skip


_SHOWN_AS = {"area_id": "address", "room": "address"}


def _words(correction: Correction) -> dict[Column | str, object]:
    changed: dict[Column | str, object] = {}
    if correction.name is not UNSET:
        name = names.clean_person(correction.name)
        if not name:
            raise Nameless
        changed |= {
            "name": name,
            "name_key": names.key(name),
            "pinyin": names.pinyin(name),
            "spelled": names.spelled(name),
        }
        changed["initials"], changed["initials_other"] = names.initials(name)
    if correction.sex is not UNSET:
        changed["sex"] = correction.sex
    if correction.born_on is not UNSET:
        require_birth(correction.born_on)
        changed["born_on"] = correction.born_on
    if correction.relation is not UNSET:
        changed["relation"] = correction.relation or None
    if correction.publishes_name is not UNSET:
        changed["publishes_name"] = correction.publishes_name
    return changed


def _numbers(correction: Correction) -> dict[Column | str, object]:
    """The encrypted columns, and the birth date and sex that an identity number encodes."""
    changed: dict[Column | str, object] = {}
    if correction.phone is not UNSET:
        phone = normal_phone(correction.phone) if correction.phone else None
        changed |= {
            "phone_sealed": vault.seal(phone, "phone") if phone else None,
            "phone_index": vault.blind_index(phone, "phone") if phone else None,
            "phone_last4": phone[-4:] if phone else None,
        }
    if correction.identity is not UNSET and not correction.identity:
        changed |= {"identity_sealed": None, "identity_index": None}
    elif correction.identity is not UNSET and correction.identity:
        identity = require_identity(correction.identity)
        changed |= {
            "identity_sealed": vault.seal(identity.number, "identity"),
            "identity_index": vault.blind_index(identity.number, "identity"),
        }
        if isinstance(identity, Identity):
            born_on, sex = identity.born_on, SEX[identity.sex]
            said_born_on = None if correction.born_on is UNSET else correction.born_on
            check_agreement(born_on, sex, said_born_on, None if correction.sex is UNSET else correction.sex)
            changed |= {"born_on": born_on, "sex": sex}
    return changed


class _Home(msgspec.Struct, frozen=True):
    area_id: UUID
    room: str
    head_name: str


async def _household(scope: Scope, person: PersonRow, correction: Correction) -> UUID | None:
    """Find or create the household of the corrected area, room and head; a field that was not sent keeps its value."""
    now = await database.row(
        _Home, "SELECT area_id, room, head_name FROM household WHERE community_id = $1 AND id = $2",
        scope.community_id, person.household_id,
    )  # fmt: skip
    area_id = (now.area_id if now else None) if correction.area_id is UNSET else correction.area_id
    if area_id is None:
        return None
    await require_areas(scope, {area_id})
    room = (now.room if now else "") if correction.room is UNSET else correction.room.strip()
    moved = now is None or (area_id, room) != (now.area_id, now.room)
    head = (None if moved or now is None else now.head_name) if correction.head_name is UNSET else correction.head_name
    doors = await Doors.of(scope, {area_id})
    household_id = doors.place(area_id, room, names.clean_person(head) if head else None, person.name)
    await doors.save(scope, {household_id})
    return household_id


@retried
async def set_person_status(scope: Scope, person_id: UUID, status: Status, reason: str | None) -> None:
    """Block a person, record that they left, or make them active again; the person is notified.

    A blocked person cannot sign in or be served and keeps the points. For `left` the accounts are closed too.
    """
    scope.require_admin()
    async with transaction(scope):
        person = await lock_person_row(scope, person_id)
        if scope.is_own(person_id):
            raise Forbidden
        _require_unmerged(person)
        if person.status == status:
            return
        await Person.update({Person.status: status, Person.corrected_at: clock.now()}).where(
            (Person.community_id == scope.community_id) & (Person.id == person_id)
        )
        await audit.record(scope, "set_status", "person", person_id, reason=reason, status=status)
        if "left" in (status, person.status):
            await hook("close_accounts")(scope, person_id, reopen=status != "left")
        await notify(
            scope, person_id, f"status_changed.{status}", f"status:{clock.new_id()}", person_id, why=because(reason)
        )
