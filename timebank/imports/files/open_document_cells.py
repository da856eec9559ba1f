"""The value of one cell of an OpenDocument spreadsheet (OASIS ODF 1.3, part 3, 19.385 to 19.391)."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from timebank.imports.cells.cell_values import Cell, Unreadable
from timebank.imports.files.refusals import WorkbookBroken
from timebank.imports.files.styles import Style

_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:[.,]\d+)?S)?")
_SHOWN = re.compile(
    r"(?P<before>[^\d\-+(.]{0,10}?)\s*[-+(]?\d[\d,.]*[)]?\s*(?P<scale>[万千亿百]?)(?P<behind>[^\W\d_]{0,10}|[¥￥$€£])"
)
_MONTH = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}\s*月?")
_DAY = timedelta(days=1)


@dataclass(slots=True)
class CellRead:
    attributes: dict[str, str]
    paragraphs: list[str] = field(default_factory=list)
    is_struck: bool = False


def value_of(read: CellRead) -> Cell:
    given, shown = read.attributes, "\n".join(read.paragraphs)
    # The standard's attribute and that of LibreOffice's extension have the same local name; the later one is used.
    kind, formula = given.get("value-type", ""), given.get("formula")
    if kind == "error":
        return Unreadable(shown or "#VALUE!")
    if formula is not None and not kind and not shown:
        return Unreadable(f"={formula.partition('=')[2] or formula}")
    if kind in ("float", "currency"):
        return _with_unit(_number(given.get("value", "")), shown)
    if kind == "percentage":
        return shown or f"{_number(given.get('value', '')) * 100:g}%"
    if kind == "boolean":
        return given.get("boolean-value") == "true"
    if kind == "date":
        found = _moment(given.get("date-value", ""))
        is_month = isinstance(found, date) and found.day == 1 and _MONTH.fullmatch(shown.strip())
        return shown if is_month else found
    if kind == "time":
        return _duration(given.get("time-value", ""))
    return given.get("string-value") or shown or None


def _with_unit(value: float, shown: str) -> Cell:
    """A number with the unit or currency that is displayed beside it, such as "5箱" or "¥25.00"."""
    found = _SHOWN.fullmatch(shown.strip())
    if found is None or found["scale"] or not (found["before"] or found["behind"]):
        return value
    return Style(found["before"].strip(), found["behind"].strip()).shown(value)


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError as damage:
        raise WorkbookBroken from damage


def _moment(written: str) -> Cell:
    try:
        return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
    except ValueError:
        return written


def _duration(written: str) -> Cell:
    found = _DURATION.fullmatch(written)
    if found is None:
        return written
    length = timedelta(
        **dict(zip(("hours", "minutes", "seconds"), (int(part or 0) for part in found.groups()), strict=True))
    )
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return time(minutes // 60, minutes % 60, seconds) if length < _DAY else length
