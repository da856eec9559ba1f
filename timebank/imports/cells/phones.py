"""Parses phone cells: the first mobile number, and a remark if the cell holds anything else."""

import re
from dataclasses import dataclass
from decimal import Decimal

from timebank.imports.cells.cell_values import Cell, blank, plain_text
from timebank.imports.cells.problems import Problem, problem

PHONE_DIGITS = 11
_BETWEEN = r"[ \-–—_.'’`]{0,2}"
_PREFIX = rf"(?:\(?\s*(?:\+|00)?86\s*\)?{_BETWEEN})?"
_MOBILE = re.compile(rf"(?<!\d){_PREFIX}\(?(1[3-9]\d(?:{_BETWEEN}\d){{8}})\)?(?!\d)")
_NO_PHONE = re.compile(r"(暂?无|没有?|未)(办|填|留|提供|登记)?(手机|电话|联系方式|号码|手机号码?|电话号码)?")
_LABEL = re.compile(r"(tel|phone|mobile|电话|手机|联系电话|手机号码?|移动电话|号码)\s*[:：]?", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"(\d{7,15})\.0+")
_SCIENTIFIC = re.compile(r"(\d(?:\.\d+)?)e\+?(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PhoneFound:
    """A mobile number of eleven digits; `odd` is a warning about the rest of the cell."""

    number: str
    odd: Problem | None = None


def find_phone(cell: Cell) -> PhoneFound | Problem | None:
    """The first mobile number of a cell; a Problem if there is none, None for a blank cell or 无电话."""
    if blank(cell) or _NO_PHONE.fullmatch(plain_text(cell)):
        return None
    text = _in_digits(plain_text(cell))
    if isinstance(text, Problem):
        return text
    found = _MOBILE.findall(text)
    if not found:
        return _why_none(text)
    numbers = list(dict.fromkeys(re.sub(r"\D", "", number) for number in found))
    return PhoneFound(numbers[0], _odd(numbers, _MOBILE.sub(" ", text)))


def parse_phone(cell: Cell) -> str | Problem | None:
    """The first mobile number of a cell, without the warning."""
    found = find_phone(cell)
    return found.number if isinstance(found, PhoneFound) else found


def phones(cell: Cell) -> list[str]:
    """Every mobile number of a cell, in order."""
    text = _in_digits(plain_text(cell))
    return [] if isinstance(text, Problem) else [re.sub(r"\D", "", number) for number in _MOBILE.findall(text)]


def _in_digits(text: str) -> str | Problem:
    """The text; a number that a program wrote as a float or in scientific notation is converted back to digits."""
    whole = _WHOLE_FLOAT.fullmatch(text)
    if whole:
        return whole[1]
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is None:
        return text
    # A mantissa with fewer digits than a phone number has been rounded.
    if len(scientific[1].replace(".", "")) < PHONE_DIGITS:
        return problem("phone_rounded")
    written_out = Decimal(f"{scientific[1]}e{scientific[2]}")
    return f"{written_out:f}" if written_out == written_out.to_integral_value() else problem("phone_unclear")


def _odd(numbers: list[str], rest: str) -> Problem | None:
    if len(numbers) > 1:
        return problem("phone_several", phone=f"{numbers[0][:3]}****{numbers[0][-4:]}")
    return problem("phone_remark") if re.search(r"\w", _LABEL.sub("", rest)) else None


def _why_none(text: str) -> Problem:
    bare = re.sub(r"[()\s\-–—_.'‘’`]", "", _LABEL.sub("", re.split(r"[/、,;]|或", text)[0]))
    bare = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", bare)
    if not (bare.isascii() and bare.isdigit()):
        return problem("phone_unclear")
    if re.fullmatch(r"0\d{9,11}|[2-8]\d{6,7}", bare):
        return problem("phone_landline")
    return problem("phone_length", length=len(bare)) if len(bare) != PHONE_DIGITS else problem("phone_prefix")
