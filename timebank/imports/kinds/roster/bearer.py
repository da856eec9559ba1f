"""Read a person from a roster row: identity document, date of birth, sex and phone, checked against each other."""

import re
from datetime import date
from typing import TypeVar

from timebank.imports.cells import cell_values, moments
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.identity import Document, Identity, Sex
from timebank.imports.cells.phones import PhoneFound, find_phone
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.sheets.parsed import InSheet, Reading
from timebank.people.identity.ages import is_possible_birth
from timebank.people.identity.documents import kind_called

T = TypeVar("T", bound=InSheet)

_YEAR_MONTH = re.compile(r"年月(?!日)")
# 19651 may mean January 1965, or be a spreadsheet's serial number of a day in 1953.
_FIVE_DIGITS = re.compile(r"(19|20)\d{2}[1-9]")
_BESIDE_BIRTH = re.compile(r"^(出?生于?)|(\s*(出?生|[(（]?\d{1,3}\s*周?岁[)）]?)|[.。])$")
_CITIZENS = re.compile(r"(居民|中国)?身份证|二代证|户口[本簿]|出生(医学)?证明?|(港澳台|港澳|台湾)?居民居住证|居住证")


def read_document_cell(reading: Reading[T]) -> Identity | Document | None:
    """The identity number, or another document with its kind."""
    kind = reading.take("document", _kind)
    return reading.take("identity", lambda cell: cell_values.identity(cell, kind or None))


def _kind(cell: Cell) -> str | Problem | None:
    """The kind of document; None where the cell is blank or the document carries a citizen's identity number."""
    said = cell_values.plain_text(cell)
    if cell_values.blank(cell) or _CITIZENS.fullmatch(said):
        return None
    return kind_called(said) or problem("document_kind")


def born_on_of(reading: Reading[T], identity: Identity | Document | None, today: date) -> date | None:
    """The date of birth, from the identity number where there is one. A year and month alone are refused."""
    born_on = identity.born_on if isinstance(identity, Identity) else reading.take("born_on", _birth)
    if isinstance(identity, Document) and born_on is None:
        reading.refuse("born_on|identity", problem("document_birth"))
    if isinstance(identity, Identity):
        _compare_birth(reading, identity.born_on)
    if born_on is not None and not is_possible_birth(born_on, today):
        reading.refuse("identity" if isinstance(identity, Identity) else "born_on", problem("birth_impossible"))
        return None
    return born_on


def _birth(cell: Cell) -> date | Problem | None:
    text = cell_values.plain_text(cell)
    if _FIVE_DIGITS.fullmatch(text):
        return problem("birth_day_missing")
    found = moments.parse_calendar_day((_BESIDE_BIRTH.sub("", text) or text) if isinstance(cell, str) else cell)
    # The day is never guessed: it decides who needs a guardian, and it distinguishes people of one name.
    return problem("birth_day_missing") if isinstance(found, Problem) and moments.year_months(cell) else found


def _compare_birth(reading: Reading[T], born_on: date) -> None:
    """Warn where the date of birth differs from the identity number. The number wins: it has a check digit."""
    months = moments.year_months(reading.cell("born_on"))
    if months is not None:
        differs = not months.holds(born_on)
    else:
        written = reading.beside("born_on", moments.parse_calendar_day)
        # If the column asks for year and month only, a spreadsheet stores the first day of the month.
        first = written is not None and written.day == 1 and _YEAR_MONTH.search(reading.header.heading("born_on"))
        agrees = first and written and (written.year, written.month) == (born_on.year, born_on.month)
        differs = written is not None and written != born_on and not agrees
    if differs:
        reading.warn("born_on", problem("birth_differs", date=born_on.isoformat()))


def sex_of(reading: Reading[T], identity: Identity | Document | None) -> Sex | None:
    """The sex, from the identity number where there is one."""
    written = reading.beside("sex", cell_values.sex)
    if not isinstance(identity, Identity):
        return written
    if written not in (None, identity.sex):
        reading.warn("sex", problem("sex_differs"))
    return identity.sex


def read_phone(reading: Reading[T], *, is_known: bool) -> str | None:
    """The phone. An unreadable one refuses the row if nothing else identifies the person; a landline never does."""
    found = reading.read("phone", find_phone)
    if isinstance(found, PhoneFound):
        if found.odd:
            reading.warn("phone", found.odd)
        return found.number
    if isinstance(found, Problem):
        if is_known or found.code == "phone_landline":
            reading.leave_out("phone", found)
        else:
            reading.refuse("phone", found)
    return None
