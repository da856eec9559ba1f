"""Memos: sentences of the program, stored as kind and values and put into words in the reader's language."""

from datetime import date, datetime

import msgspec

from timebank.core.capability import capabilities
from timebank.core.locale import _, translate
from timebank.core.wording import Said, filled

VALUE_MAX = 200
"""The length of a value in characters; a longer one is cut. With VALUES_MAX it keeps the check transfer_memo_values."""
VALUES_MAX = 8


class Memo(msgspec.Struct, frozen=True):
    """A kind of memo that a manifest declares, with the values of its sentence."""

    kind: str
    values: dict[str, str | int]

    @property
    def sentence(self) -> str:
        """The sentence of its kind; empty for a kind that no capability declares any more."""
        return next((one.memos[self.kind] for one in capabilities() if self.kind in one.memos), "")

    def text(self, language: str = "zh") -> str:
        return filled(self.sentence, self.values, language)

    def said(self) -> Said:
        return Said(self.sentence, dict(self.values))

    def stored(self) -> str:
        """As a jsonb column stores it."""
        return msgspec.json.encode(self).decode()


def memo(kind: str, **values: str | int | date) -> Memo:
    """A memo to store. Moments and days are stored in ISO format."""
    assert len(values) <= VALUES_MAX, kind
    return Memo(kind, {name: _bounded(value) for name, value in values.items()})


def _bounded(value: str | int | date) -> str | int:
    if isinstance(value, int):
        return value
    text = value.isoformat() if isinstance(value, date | datetime) else value
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 1]}…"


def read_memo(stored: str | None) -> Memo | None:
    """The memo that `Memo.stored` gave."""
    return msgspec.json.decode(stored, type=Memo) if stored else None


def with_words(stored: str | None, written: str | None, language: str = "zh") -> str | None:
    """A stored memo in words, before what a person has written; either may be missing."""
    memo = read_memo(stored)
    said = memo.text(language) if memo else ""
    if not (said and written):
        return said or written
    ended = said.endswith(("。", "."))
    return said + ((" " if language == "en" else "") if ended else translate(_("；"), language)) + written
