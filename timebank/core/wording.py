"""Amounts and times in words, and sentences that are stored and put into words in the reader's language."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from timebank.core import clock, opening
from timebank.core.capability import capabilities, resolve
from timebank.core.locale import _, put_together, translate


class Said(msgspec.Struct, frozen=True):
    """A Chinese sentence, stored with its values, to be translated when it is shown. A list value holds sentences.

    A placeholder may name a format: `{stayed:minutes}` a duration, `{since:at}` a moment, `{starts:moment}` a moment
    always with its date, `{open:hours}` opening hours ("08:00 20:00").

    It is for what is answered at once and kept as answered, such as the verdict of a scan: a sentence of the code whose
    values are words of the code or numbers. Everything else that is stored is a `Phrase`.
    """

    sentence: str
    values: dict[str, str | int | list[str]] = {}

    def text(self, language: str = "zh") -> str:
        return put_together(self.sentence, {n: _Shown(v, language) for n, v in self.values.items()}, language)


def said(sentence: str, **values: object) -> Said:
    """A sentence with its values, converted to storable types."""
    return Said(sentence, {name: _stored(value) for name, value in values.items()})


def _stored(value: object) -> str | int | list[str]:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int) else [str(v) for v in value] if isinstance(value, list) else str(value)


class _Shown:
    """A value that formats itself by its placeholder's format and in the reader's language."""

    def __init__(self, value: Any, language: str) -> None:
        self.value, self.language = value, language

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
        return translate(str(self.value), self.language)


VALUE_MAX = 200
"""The length of a text in the values of a ledger entry or a note, in characters; a longer one is cut. With VALUES_MAX
it keeps the check transfer_memo_values."""
VALUES_MAX = 8


class Phrase(msgspec.Struct, frozen=True):
    """A sentence as (kind, values): its words stand in a manifest under the kind and are chosen when it is shown.

    It is what messages, ledger entries and notes on records and deeds store. Values are data, shown as they are: names,
    goods, reasons, numbers. Days and moments are stored as ISO texts; a placeholder names how they are worded, as in
    `Said` and besides by `{on:day}`, `{cost:points}` and `{lesson:span}` (begin and end). `{unit:word}` is a word of
    the program, which is translated. A value may be a phrase itself, or a list, worded with "、" between its parts,
    with "；" by `{back:clauses}`, or as further sentences by `{more:sentences}`.
    """

    kind: str
    values: dict[str, Any] = {}

    def text(self, language: str = "zh") -> str:
        """In words; empty for a kind that no capability declares any more."""
        for one in capabilities():
            if self.kind in one.sentences:
                shown = {name: _Value(value, language) for name, value in self.values.items()}
                return put_together(one.sentences[self.kind], shown, language)
            if self.kind in one.parts:
                words: str = resolve(one.parts[self.kind])(self.values, language)
                return words
        return ""

    def said(self) -> Said:
        """As a sentence of a verdict: for a kind whose values are numbers."""
        sentence = next((one.sentences[self.kind] for one in capabilities() if self.kind in one.sentences), "")
        return Said(sentence, dict(self.values))

    def bounded(self) -> "Phrase":
        """With its texts cut to VALUE_MAX, so that a long reason never refuses what is stored with it."""
        return Phrase(self.kind, {name: _bounded(value) for name, value in self.values.items()})

    def stored(self) -> str:
        """As a jsonb column stores it, with its texts cut."""
        return msgspec.json.encode(self.bounded()).decode()


def phrase(kind: str, /, **values: object) -> Phrase:
    """A phrase with its values, converted to storable types."""
    return Phrase(kind, {name: _plain(value) for name, value in values.items()})


def read_phrase(stored: str | None) -> Phrase | None:
    """The phrase that `Phrase.stored` gave."""
    return msgspec.json.decode(stored, type=Phrase) if stored else None


def note_in_words(stored: str | None, written: str | None, language: str = "zh") -> str | None:
    """A stored phrase in words, before what a person has written; either may be missing."""
    kept = read_phrase(stored)
    words = kept.text(language) if kept else ""
    if not (words and written):
        return words or written
    if words.endswith(("。", ".")):
        return f"{words} {written}" if language == "en" else words + written
    return words + translate(_("；"), language) + written


def because(reason: str | Phrase | None) -> list[Phrase]:
    """A reason as a further sentence, for a placeholder such as `{why:sentences}`; nothing where there is none."""
    return [phrase("reason", reason=reason)] if reason else []


def _plain(value: object) -> object:
    if isinstance(value, Phrase):
        return {"kind": value.kind, "values": value.values}
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > VALUE_MAX:
        return f"{value[: VALUE_MAX - 1]}…"
    if isinstance(value, dict):
        return {name: _bounded(each) for name, each in value.items()}
    return [_bounded(each) for each in value] if isinstance(value, list) else value


class _Value(_Shown):
    """A phrase's value: data that is not translated, a phrase, or a list of both."""

    def __format__(self, spec: str) -> str:
        value = self.value
        if spec == "points" and isinstance(value, int):
            return points(value, self.language)
        if spec == "day":
            return dated(date.fromisoformat(str(value)), self.language)
        if isinstance(value, list):
            return self._listed(value, spec)
        if isinstance(value, dict):
            return Phrase(**value).text(self.language)
        return super().__format__(spec) if spec else str(value)

    def _listed(self, value: list[Any], spec: str) -> str:
        if spec == "span":
            begin, end = (datetime.fromisoformat(each) for each in value)
            return f"{dated_at(begin, self.language)}–{until(end, begin, self.language)}"
        parts = [format(_Value(each, self.language)) for each in value]
        if spec == "sentences":
            return "".join(f" {part}" if self.language == "en" else part for part in parts)
        return translate(_("；") if spec == "clauses" else _("、"), self.language).join(parts)


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


def month(first: date, language: str = "zh") -> str:
    """The month of a date: 2026年11月, Nov 2026."""
    return f"{first:%b} {first.year}" if language == "en" else f"{first.year}年{first.month}月"


def short_month(first: date, language: str = "zh") -> str:
    """The month of a date where the year is plain: 11月, Nov."""
    return f"{first:%b}" if language == "en" else f"{first.month}月"


def yuan(fen: int) -> str:
    """An amount of money: ¥9,640, ¥12.50."""
    whole, rest = divmod(abs(fen), 100)
    return ("−" if fen < 0 else "") + f"¥{whole:,}" + (f".{rest:02}" if rest else "")


def duration(amount: int, language: str = "zh") -> str:
    """A duration in minutes in words: 2 小时 15 分, 15 分钟 (15 分 would mean points), 2 h 15 min."""
    hours, rest = divmod(abs(amount), 60)
    hour, minute = (" h", " min") if language == "en" else (" 小时", " 分" if hours else " 分钟")
    parts = [f"{hours:,}{hour}"] * bool(hours) + [f"{rest}{minute}"] * bool(rest or not hours)
    return ("−" if amount < 0 else "") + " ".join(parts)


def points(amount: int, language: str = "zh") -> str:
    """An amount of points with its unit: 1,286 分."""
    return f"{amount:,} {'pt' if language == 'en' else '分'}".replace("-", "−")
