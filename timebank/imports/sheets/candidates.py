"""Match the people in a row of hours or deeds to residents that the caller has looked up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from timebank.core import names
from timebank.imports.cells import group, places
from timebank.imports.cells import phones as phones_of
from timebank.imports.cells.cell_values import Role
from timebank.imports.cells.phones import phones
from timebank.imports.cells.problems import problem
from timebank.imports.sheets.parsed import InSheet, Reading

T = TypeVar("T", bound=InSheet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The fields of a resident that matching needs; `key` and `household` are ids of the caller's choice."""

    key: str
    name: str
    phone: str | None = None
    household: str | None = None
    building: str | None = None
    unit: str | None = None
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Hint:
    """What a row says besides the name, to distinguish people of one name."""

    building: str | None = None
    unit: str | None = None
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names and phones in a file, to look up before its rows are matched."""

    names: frozenset[str]
    phones: frozenset[str]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The residents looked up for one file, by phone and by the key of their name."""

    by_phone: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)
    by_name: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)

    @classmethod
    def of(cls, residents: Iterable[Candidate]) -> "Candidates":
        """Index residents, with buildings and units normalised as they are in sheets."""
        by_phone: dict[str, list[Candidate]] = {}
        by_name: dict[str, list[Candidate]] = {}
        for given in residents:
            building, unit = places.building(given.building), places.unit(given.unit)
            resident = replace(
                given,
                building=building if isinstance(building, str) else given.building,
                unit=unit if isinstance(unit, str) else given.unit,
            )
            by_name.setdefault(names.key(resident.name), []).append(resident)
            if resident.phone:
                by_phone.setdefault(resident.phone, []).append(resident)
        return cls(by_phone, by_name)

    def named(self, name: str, hint: Hint | None = None) -> list[Candidate]:
        """The residents of a name; if there are several, those that fit the hint best."""
        found = list(self.by_name.get(names.key(name), ()))
        if hint is None or len(found) < 2:
            return found
        for fits in (
            lambda one: one.building == hint.building,
            lambda one: one.unit == hint.unit,
            lambda one: bool(one.roles & hint.roles),
        ):
            found = [one for one in found if fits(one)] or found
        return found


def by_phone_and_name(reading: Reading[T], people: Candidates, phone: str | None, name: str | None) -> Candidate | None:
    """The one resident with this phone and name; refuses the row when there is none, or more than one.

    A given phone must match: somebody of the same name with another phone is not accepted. Without a phone the name
    alone decides.
    """
    if phone is None:
        return by_name(reading, people, name) if name else None
    owners = people.by_phone.get(phone, ())
    meant = [owner for owner in owners if name is None or names.key(owner.name) == names.key(name)]
    if len(meant) == 1:
        return meant[0]
    if len(meant) > 1:
        reading.refuse("phone", problem("ambiguous_person", count=len(meant)))
    elif owners:
        reading.refuse("name", problem("name_differs"))
    elif name is not None and people.by_name.get(names.key(name)):
        reading.refuse("phone", problem("unknown_phone"))
    else:
        reading.refuse("name" if name else "phone", problem("unknown_person"))
    return None


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """One person in a row; `person` is None where no residents were given or the row was refused."""

    person: Candidate | None
    name: str | None
    phone: str | None


def people_of_row(reading: Reading[T], people: Candidates | None) -> list[NamedPerson]:
    """The people in a row, one or several; refuses the row when one of them is not found, and says which."""
    known = people.by_name.keys() if people else frozenset()
    given = reading.take("name", lambda cell: group.names(cell, known))
    if given and group.repeats(reading.cell("name"), known):
        reading.warn("name", problem("group_repeated"))
    if given is None or len(given) == 1:
        return _of_one(reading, people, given[0] if given else None)
    found = phones(reading.cell("phone"))
    if len(found) != len(given):
        if found:
            reading.warn("phone", problem("group_phone", count=len(given)))
        found = []
    named = []
    for place, name in enumerate(given):
        phone = found[place] if found else None
        meant = [one for one in people.named(name) if phone in (None, one.phone)] if people else []
        if people and len(meant) != 1:
            code = "group_ambiguous_person" if meant else "group_unknown_person"
            reading.refuse("name", problem(code, place=place + 1, count=len(meant)))
        named.append(NamedPerson(meant[0] if meant else None, name, phone))
    return named


def _of_one(reading: Reading[T], people: Candidates | None, name: str | None) -> list[NamedPerson]:
    phone = reading.take("phone", phones_of.parse_phone)
    if name is None and phone is None and not reading.refused:
        meaning = "name" if "name" in reading.header.columns else "phone"
        reading.refuse(meaning, problem("blank", column=reading.header.heading(meaning)))
    if reading.refused:
        return []
    return [NamedPerson(by_phone_and_name(reading, people, phone, name) if people else None, name, phone)]


def by_name(reading: Reading[T], people: Candidates, name: str, hint: Hint | None = None) -> Candidate | None:
    """The one resident of a name, selected by the hint where several share it; otherwise refuses the row."""
    found = people.named(name, hint)
    if len(found) == 1:
        return found[0]
    reading.refuse("name", problem("ambiguous_person", count=len(found)) if found else problem("unknown_person"))
    return None
