"""The citizen identity number (GB 11643-1999): 6 digits of region, 8 of birth, 3 of order, 1 check character."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from timebank.imports.problems import Problem, problem

Sex = Literal["male", "female"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


@dataclass(frozen=True, slots=True)
class Identity:
    """A number that passed its check digit, with what it says about its bearer."""

    number: str
    born_on: date
    sex: Sex


def check_character(first_seventeen: str) -> str:
    """The 18th character that GB 11643 asks for after these seventeen digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def read_identity(number: str) -> Identity | Problem:
    """Judge a number already stripped of spaces and in upper case."""
    if len(number) != 18:
        return problem("identity_length", length=len(number))
    if not (number.isascii() and number[:17].isdigit() and (number[17].isdigit() or number[17] == "X")):
        return problem("identity_unclear")
    if check_character(number[:17]) != number[17]:
        # A spreadsheet keeps 15 significant digits: a number that it has rounded ends in three zeros.
        return problem("identity_rounded" if number.endswith("000") else "identity_checksum")
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return problem("identity_birth")
    return Identity(number, born_on, "male" if int(number[16]) % 2 else "female")


def mask_number(text: str) -> str:
    """An identity number or phone as a report may show it: enough to find the row, too little to use."""
    bare = "".join(text.split())
    if len(bare) >= 15:
        return f"{bare[:4]}****{bare[-4:]}"
    if len(bare) >= 10:
        return f"{bare[:3]}****{bare[-4:]}"
    return bare[:1] + "*" * (len(bare) - 1)
