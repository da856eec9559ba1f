"""Amounts and times in words, and sentences that are stored and put into words in the reader's language."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from timebank.core import clock, opening
from timebank.core.capability import capabilities
from timebank.core.locale import _, put_together, translate


class Said(msgspec.Struct, frozen=True):
    """A Chinese sentence, stored with its values, to be translated when it is shown. A list value holds sentences.

    A placeholder may name a format: `{stayed:minutes}` a duration, `{since:at}` a moment, `{starts:moment}` a moment
    always with its date, `{open:hours}` opening hours ("08:00 20:00").
    """

    sentence: str
    values: dict[str, str | int | list[str]] = {}

    def text(self, language: str = "zh") -> str:
        return put_together(self.sentence, {n: _Shown(v, language) for n, v in self.values.items()}, language)


def filled(sentence: str, values: Mapping[str, str | int], language: str = "zh") -> str:
    """A sentence in a language, with its values as people wrote them. Only `{unit:word}` translates its value."""
    return put_together(sentence, {n: _Shown(v, language, as_written=True) for n, v in values.items()}, language)


def said(sentence: str, **values: object) -> Said:
    """A sentence with its values, converted to storable types."""
    return Said(sentence, {name: _stored(value) for name, value in values.items()})


def _stored(value: object) -> str | int | list[str]:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int) else [str(v) for v in value] if isinstance(value, list) else str(value)


class _Shown:
    """A value that formats itself by its placeholder's format and in the reader's language."""

    def __init__(self, value: str | int | list[str], language: str, *, as_written: bool = False) -> None:
        self.value, self.language, self.as_written = value, language, as_written

    def __format__(self, spec: str) -> str:
        if spec == "minutes" and isinstance(self.value, int):
            return duration(self.value, self.language)
        if spec == "at":
            return at_clock(datetime.fromisoformat(str(self.value)), self.language)
        if spec == "moment":
            return dated_at(datetime.fromisoformat(str(self.value)), self.language)
        if spec == "hours":
            opens, closes = str(self.value).split()
            return opening.opening_hours_in_words(opens, closes, self.language)
        if isinstance(self.value, list):
            return translate(_("；"), self.language).join(translate(part, self.language) for part in self.value)
        text = str(self.value)
        return text if self.as_written and spec != "word" else translate(text, self.language)


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
    kept = read_memo(stored)
    words = kept.text(language) if kept else ""
    if not (words and written):
        return words or written
    if words.endswith(("。", ".")):
        return f"{words} {written}" if language == "en" else words + written
    return words + translate(_("；"), language) + written


def at_clock(moment: datetime, language: str = "zh") -> str:
    """A moment: 14:20 today; 11月3日 14:20 on another day."""
    local = clock.local(moment)
    return f"{local:%H:%M}" if local.date() == clock.local_day() else f"{dated(local.date(), language)} {local:%H:%M}"


def dated_at(moment: datetime, language: str = "zh") -> str:
    """A moment for a stored sentence, always with its date: 11月3日 14:20, 2025年11月3日 14:20."""
    local = clock.local(moment)
    return f"{dated(local.date(), language)} {local:%H:%M}"


def when(moment: datetime, language: str = "zh") -> str:
    """A moment relative to today: 今天 14:20, 昨天 09:01, 11月3日 14:20, 2025年11月3日 14:20."""
    local = clock.local(moment)
    return f"{day(local.date(), language)} {local:%H:%M}"


def until(end: datetime, begin: datetime, language: str = "zh") -> str:
    """The end of something that began at `begin`: 10:30 on the same local day, else 次日 01:00."""
    at = f"{clock.local(end):%H:%M}"
    if clock.local_day(end) == clock.local_day(begin):
        return at
    return translate(_("次日 {at}"), language).format(at=at)


def day(when_: date | datetime, language: str = "zh") -> str:
    """A date, or the local date of a moment, relative to today: 今天, 昨天, 明天, 11月3日, 2025年11月3日."""
    date_ = clock.local_day(when_) if isinstance(when_, datetime) else when_
    today = clock.local_day()
    near = {today: ("今天", "today"), today - timedelta(days=1): ("昨天", "yesterday")}
    near[today + timedelta(days=1)] = ("明天", "tomorrow")
    if date_ in near:
        return near[date_][language == "en"]
    return dated(date_, language)


def dated(date_: date, language: str = "zh") -> str:
    """A date for a sentence that may be read later: 11月3日, 2025年11月3日 (not in this year)."""
    this_year = clock.local_day().year
    if language == "en":
        return f"{date_.day} {date_:%b}" + (f" {date_.year}" if date_.year != this_year else "")
    return (f"{date_.year}年" if date_.year != this_year else "") + f"{date_.month}月{date_.day}日"


def duration(amount: int, language: str = "zh") -> str:
    """A duration in minutes in words: 2 小时 15 分, 15 分钟 (15 分 would mean points), 2 h 15 min."""
    hours, rest = divmod(abs(amount), 60)
    hour, minute = (" h", " min") if language == "en" else (" 小时", " 分" if hours else " 分钟")
    parts = [f"{hours:,}{hour}"] * bool(hours) + [f"{rest}{minute}"] * bool(rest or not hours)
    return ("−" if amount < 0 else "") + " ".join(parts)


def points(amount: int, language: str = "zh") -> str:
    """An amount of points with its unit: 1,286 分."""
    return f"{amount:,} {'pt' if language == 'en' else '分'}".replace("-", "−")
