"""Memos: why an entry was posted, stored as a kind and its values and put into words in the reader's language."""

from datetime import date, datetime

import msgspec

from timebank.core.capability import capabilities
from timebank.core.wording import filled

VALUE_MAX = 200
"""The length of a value in characters; a longer one is cut. With VALUES_MAX it keeps the check transfer_memo_values."""
VALUES_MAX = 8


class Memo(msgspec.Struct, frozen=True):
    """A kind of memo that a manifest declares, with the values of its sentence."""

    kind: str
    values: dict[str, str | int]


def memo(kind: str, **values: str | int | date) -> Memo:
    """A memo to post. Times and days are stored in ISO format."""
    assert len(values) <= VALUES_MAX, kind
    return Memo(kind, {name: _stored(value) for name, value in values.items()})


def _stored(value: str | int | date) -> str | int:
    if isinstance(value, int):
        return value
    text = value.isoformat() if isinstance(value, date | datetime) else value
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 1]}…"


class Reasoned(msgspec.Struct, frozen=True, kw_only=True):
    """What a transfer stores of its reason. `memo` has the words of entries of before, and those that a giver wrote."""

    memo: str
    memo_kind: str | None
    memo_values: str | None

    def reason(self, language: str = "zh") -> str:
        """The reason in words; empty where the kind of the entry says it all."""
        if self.memo_kind is None:
            return self.memo
        sentence = next((one.memos[self.memo_kind] for one in capabilities() if self.memo_kind in one.memos), "")
        return filled(sentence, msgspec.json.decode(self.memo_values or "{}", type=dict[str, str | int]), language)
