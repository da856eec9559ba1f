"""What a person is found by: what is typed decides which columns are asked, each by a range of an index."""

import re

from timebank.core import names, vault
from timebank.core.database import Filters
from timebank.people.identity.documents import possible_documents
from timebank.people.identity.phones import BadPhone, normal_phone

LAST = "\U0010ffff"  # sorts after every letter


def add_typed(asked: Filters, q: str, near: str) -> None:
    """Add that a person `p` is found by `q`.

    Chinese is the beginning of a name; letters are that of a name, of its pinyin or initials; four digits are the last
    ones of a phone; other numbers a whole phone, identity or document number, of which only the deterministic HMAC is
    stored. `near` is the condition on which the caller may find somebody by a number.
    """
    if not (q := names.clean_person(q)):
        return
    key = names.key(q)
    found, numbers = [], []
    digits = re.sub(r"[ -]", "", key)
    if digits.isascii() and digits.isdecimal():
        if len(digits) == 4:
            numbers.append(f"p.phone_last4 = {asked.mark(digits)}")
        elif (phone := _phone_index(q)) is not None:
            numbers.append(f"p.phone_index = {asked.mark(phone)}")
    else:
        found.append(_begins(asked, 'p.name_key COLLATE "C"', key))
        letters = re.sub(r"[ '’·]", "", key)
        if letters.isascii() and letters.isalpha():
            found.append(_begins(asked, "p.spelled", letters))
            found.append(_begins(asked, "p.initials", letters))
            found.append(f"{_begins(asked, 'p.initials_other', letters)} AND p.initials_other <> ''")
    if indexes := _identity_indexes(q):
        numbers.append(f"p.identity_index = ANY ({asked.mark(indexes)})")
    if numbers:
        found.append(f"{near} AND ({' OR '.join(numbers)})")
    asked.sql += f" AND ({' OR '.join(f'({each})' for each in found) or 'false'})"


def _begins(asked: Filters, column: str, text: str) -> str:
    return f"{column} >= {asked.mark(text)} AND {column} < {asked.mark(text + LAST)}"


def _phone_index(q: str) -> bytes | None:
    try:
        return vault.blind_index(normal_phone(q), "phone")
    except BadPhone:
        return None


def _identity_indexes(q: str) -> list[bytes]:
    number = q.replace(" ", "").upper()
    citizen = [number] if re.fullmatch(r"\d{17}[\dX]", number, re.ASCII) else []
    return [vault.blind_index(each, "identity") for each in [*citizen, *possible_documents(q)]]
