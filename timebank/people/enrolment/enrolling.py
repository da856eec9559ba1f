"""Registering people in a community: one at the desk, or a whole roster at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, names, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.people.households import Doors
from timebank.people.identity.ages import is_possible_birth
from timebank.people.identity.citizen_number import BadIdentity, Identity, require_identity
from timebank.people.identity.phones import normal_phone
from timebank.people.schemas import Enrolled, Enrolment

SEX = {"male": "男", "female": "女"}


class PersonKnown(Conflict):
    code = "person_known"
    sentence = "这个人已经登记过了。请在居民里查找，不要重复登记。"
    constraint = "person_identity_unique"


class BadBirth(TimebankError):
    code = "bad_birth"
    status = 422
    sentence = "出生日期在今天之后或早于 130 年前，请核对。"


class Nameless(TimebankError):
    code = "nameless_person"
    status = 422
    sentence = "姓名是空的，请填上。"


@dataclass(slots=True, kw_only=True)
class Entry:
    """The values of a person's row."""

    id: UUID
    name: str
    sex: str | None
    born_on: date | None
    identity: str | None
    phone: str | None
    relation: str | None
    publishes_name: bool
    household_id: UUID | None = None

    @property
    def identity_index(self) -> bytes | None:
        return vault.blind_index(self.identity, "identity") if self.identity else None

    @property
    def phone_index(self) -> bytes | None:
        return vault.blind_index(self.phone, "phone") if self.phone else None


@retried
async def enrol(scope: Scope, enrolment: Enrolment) -> UUID:
    """Register one person. Raises PersonKnown for somebody already registered.

    That is the same identity number, or the same name with the same phone or the same birth date and household.
    """
    async with transaction(scope):
        [enrolled] = await _enter(scope, [enrolment])
        if not enrolled.created:
            raise PersonKnown
        await audit.record(scope, "enrol", "person", enrolled.person_id)
    return enrolled.person_id


@retried
async def enrol_many(scope: Scope, enrolments: Sequence[Enrolment]) -> list[Enrolled]:
    """Register people; somebody already registered, or repeated in the list, is found and left unchanged.

    The answers are in the order of the enrolments. Thousands of people take a few statements.
    """
    async with transaction(scope):
        answers = await _enter(scope, enrolments)
        await audit.record(
            scope, "enrol_many", "person", None, given=len(answers), created=sum(a.created for a in answers)
        )
    return answers


@dataclass(frozen=True, slots=True)
class Placed:
    """The people that some enrolments match or would add, with the new ones' households; nothing is written yet."""

    answers: list[Enrolled]
    new: list[Entry]
    doors: Doors

    @property
    def households(self) -> dict[UUID, UUID | None]:
        """The household of each new person."""
        return {entry.id: entry.household_id for entry in self.new}

    @property
    def new_households(self) -> int:
        """How many households would be new."""
        return self.doors.count_new(set(self.households.values()))


async def place_many(scope: Scope, enrolments: Sequence[Enrolment]) -> Placed:
    """Match these enrolments to people and households, without writing. Areas need not exist yet."""
    scope.require_admin()
    async with transaction(scope):
        entries = [entry_of(enrolment) for enrolment in enrolments]
        doors = await Doors.of(scope, {e.area_id for e in enrolments if e.area_id})
        for entry, e in zip(entries, enrolments, strict=True):
            entry.household_id = doors.place(e.area_id, e.room.strip(), _clean(e.head_name), entry.name)
        book = await _KnownPeople.of(scope, entries)
    answers = [book.place(entry) for entry in entries]
    new = [entry for entry, answer in zip(entries, answers, strict=True) if answer.created]
    return Placed(answers, new, doors)


async def _enter(scope: Scope, enrolments: Sequence[Enrolment]) -> list[Enrolled]:
    scope.require_admin()
    await require_areas(scope, {e.area_id for e in enrolments if e.area_id})
    placed = await place_many(scope, enrolments)
    await placed.doors.save(scope, set(placed.households.values()))
    await _insert(scope, placed.new)
    return placed.answers


def entry_of(enrolment: Enrolment) -> Entry:
    """Clean and check an enrolment; sex and birth date come from the identity number where there is one."""
    name = names.clean_person(enrolment.name)
    if not name:
        raise Nameless
    sex, born_on, number = enrolment.sex, enrolment.born_on, None
    if enrolment.identity:
        identity = require_identity(enrolment.identity)
        number = identity.number
        if isinstance(identity, Identity):
            check_agreement(identity.born_on, SEX[identity.sex], born_on, sex)
            sex, born_on = "男" if identity.sex == "male" else "女", identity.born_on
    require_birth(born_on)
    phone = normal_phone(enrolment.phone) if enrolment.phone else None
    return Entry(
        id=clock.new_id(),
        name=name,
        sex=sex,
        born_on=born_on,
        identity=number,
        phone=phone,
        relation=enrolment.relation or None,
        publishes_name=enrolment.publishes_name,
    )


def check_agreement(born_on: date, sex: str, said_born_on: date | None, said_sex: str | None) -> None:
    """Raise BadIdentity where a stated birth date or sex differs from the identity number's: one was mistyped."""
    if said_born_on not in (None, born_on):
        raise BadIdentity(why=_("与填写的出生日期不一致，请核对"))
    if said_sex not in (None, sex):
        raise BadIdentity(why=_("与填写的性别不一致，请核对"))


def require_birth(born_on: date | None) -> None:
    """Raise BadBirth for a birth date in the future or more than 130 years ago."""
    if born_on is not None and not is_possible_birth(born_on, clock.local_day()):
        raise BadBirth


def _clean(name: str | None) -> str | None:
    return names.clean_person(name) or None if name else None


async def require_areas(scope: Scope, area_ids: set[UUID]) -> None:
    """Raise NotFound unless all of these areas are in the community."""
    found: int = await database.fetch_value(
        "SELECT count(*) FROM area WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, list(area_ids)
    )
    if found < len(area_ids):
        raise NotFound


class _Known(msgspec.Struct, kw_only=True):
    id: UUID
    name: str
    born_on: date | None
    identity_index: bytes | None
    phone_index: bytes | None
    household_id: UUID | None


class _KnownPeople:
    """The registered people that some entries may match; each new entry is added, so that a repetition matches it."""

    def __init__(self, known: list[_Known]) -> None:
        self._by_identity: dict[bytes, _Known] = {}
        self._by_name: dict[str, list[_Known]] = {}
        for person in known:
            self._add(person)

    @classmethod
    async def of(cls, scope: Scope, entries: list[Entry]) -> "_KnownPeople":
        found = await database.fetch(
            "SELECT coalesce(merged_into, id) AS id, name, born_on, identity_index, phone_index, household_id "
            "FROM person WHERE community_id = $1 AND (identity_index = ANY ($2) OR name_key = ANY ($3))",
            scope.community_id, [e.identity_index for e in entries if e.identity], [names.key(e.name) for e in entries],
        )  # fmt: skip
        return cls([_Known(**record) for record in found])

    def _add(self, person: _Known) -> None:
        if person.identity_index:
            self._by_identity[person.identity_index] = person
        self._by_name.setdefault(names.key(person.name), []).append(person)

    def place(self, entry: Entry) -> Enrolled:
        """The registered person that an entry matches; else the entry as a new person."""
        asked = _Known(
            id=entry.id,
            name=entry.name,
            born_on=entry.born_on,
            identity_index=entry.identity_index,
            phone_index=entry.phone_index,
            household_id=entry.household_id,
        )
        found = self._by_identity.get(asked.identity_index) if asked.identity_index else None
        namesakes = self._by_name.get(names.key(entry.name), [])
        found = found or next((known for known in namesakes if _is_same(known, asked)), None)
        if found is None:
            self._add(asked)
        return Enrolled(person_id=found.id if found else entry.id, created=found is None)


def _is_same(known: _Known, asked: _Known) -> bool:
    """Whether two namesakes are one person: equal phone, or birth date and household; identity numbers not unequal."""
    if known.identity_index and asked.identity_index and known.identity_index != asked.identity_index:
        return False
    same_phone = asked.phone_index is not None and known.phone_index == asked.phone_index
    same_birth = asked.born_on is not None and known.born_on == asked.born_on
    return same_phone or (same_birth and known.household_id == asked.household_id)


_COLUMNS = (
    "community_id", "created_at", "status", "code_epoch", "id", "household_id", "name", "name_key", "pinyin", "sex",
    "born_on", "relation", "identity_sealed", "identity_index", "phone_sealed", "phone_index", "phone_last4",
    "publishes_name", "spelled", "initials", "initials_other",
)  # fmt: skip


async def _insert(scope: Scope, entries: list[Entry]) -> None:
    same = (scope.community_id, clock.now(), "active", 1)
    await database.insert_many("person", _COLUMNS, [(*same, *_values(entry)) for entry in entries])


def _values(entry: Entry) -> tuple[object, ...]:
    return (
        entry.id, entry.household_id, entry.name, names.key(entry.name), names.pinyin(entry.name), entry.sex,
        entry.born_on, entry.relation,
        vault.seal(entry.identity, "identity") if entry.identity else None, entry.identity_index,
        vault.seal(entry.phone, "phone") if entry.phone else None, entry.phone_index,
        entry.phone[-4:] if entry.phone else None, entry.publishes_name,
        names.spelled(entry.name), *names.initials(entry.name),
    )  # fmt: skip
