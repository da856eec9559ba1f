"""Mobile numbers as they are stored: eleven digits."""

import re
import unicodedata

from timebank.core.errors import TimebankError


class BadPhone(TimebankError):
    code = "bad_phone"
    status = 422
    sentence = "手机号要 11 位数字，以 1 开头。"


def normal_phone(text: str) -> str:
    """Normalise spellings such as １９９-0000 0001 or +86 19900000001 to 19900000001. Raises BadPhone."""
    digits = re.sub(r"[\s\-().]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+?86|0086)(?=1\d{10}$)", "", digits)
    if not re.fullmatch(r"1\d{10}", digits, re.ASCII):
        raise BadPhone
    return digits


def masked_phone(phone: str) -> str:
    return f"{phone[:3]}****{phone[-4:]}"
