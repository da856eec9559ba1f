"""The citizen identity number (GB 11643-1999): 6 digits of region, 8 of birth, 3 of order, 1 check character."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.people.identity.documents import Document, masked_document, read_document

Sex = Literal["male", "female"]
Fault = Literal[
    "identity_length", "identity_unclear", "identity_checksum", "identity_birth", "identity_rounded",
    "identity_document",
]  # fmt: skip

WHY: Mapping[Fault, str] = {
    "identity_length": _("应为 18 位，请核对"),
    "identity_unclear": _("应为 17 位数字加 1 位数字或 X，请核对"),
    "identity_checksum": _("校验位不对，至少有一位写错了，请对照证件核对"),
    "identity_birth": _("第 7 至 14 位不是一个真实的日期，请对照证件核对"),
    "identity_document": _("不是 18 位身份证号；护照、通行证请把证件名称写在号码前，如“护照 E12345678”"),
    "identity_rounded": _("末几位已被表格软件改成零，请对照证件重新输入"),
}

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


class BadIdentity(TimebankError):
    code = "bad_identity"
    status = 422
    sentence = "身份证号不对：{why}。"


@dataclass(frozen=True, slots=True)
class Identity:
    """A valid number, with the birth date and sex that it encodes."""

    number: str
    born_on: date
    sex: Sex


def check_character(first_seventeen: str) -> str:
    """The 18th character that GB 11643 prescribes for these seventeen digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def parse_identity(number: str) -> Identity | Fault:
    """Parse a number given without spaces and in upper case; returns the fault where it is not valid."""
    if len(number) != 18:
        # 12 to 20 digits are a mistyped identity number; anything else is taken for another document.
        return "identity_length" if re.fullmatch(r"\d{12,20}X?", number, re.ASCII) else "identity_document"
    if not (number.isascii() and number[:17].isdigit() and (number[17].isdigit() or number[17] == "X")):
        return "identity_unclear"
    if check_character(number[:17]) != number[17]:
        # A spreadsheet keeps 15 significant digits, so a number that it has rounded ends in three zeros.
        return "identity_rounded" if number.endswith("000") else "identity_checksum"
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "identity_birth"
    return Identity(number, born_on, "male" if int(number[16]) % 2 else "female")


def require_identity(text: str) -> Identity | Document:
    """Parse a typed identity number, or a document such as "护照 E12345678". Raises BadIdentity with the reason."""
    judged = parse_identity("".join(text.split()).upper())
    if isinstance(judged, Identity):
        return judged
    document = read_document(text)
    if document is not None:
        return document
    raise BadIdentity(why=WHY[judged])


def masked_identity(number: str) -> str:
    """The first four digits, or the kind of document, and the last four: enough for the holder to recognise it."""
    if " " in number:
        return masked_document(number)
    return f"{number[:4]}{'*' * 10}{number[-4:]}"
