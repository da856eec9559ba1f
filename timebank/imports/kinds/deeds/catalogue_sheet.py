"""Read a catalogue of deeds from a separate sheet of a moral-bank workbook: each item with its points."""

from collections.abc import Sequence

from timebank.imports.cells import amounts, cell_values
from timebank.imports.files.workbook import Sheet
from timebank.imports.sheets.header import find
from timebank.imports.sheets.known_headings import DEEDS
from timebank.imports.sheets.lines import data_rows

_WANTED = tuple(meaning for meaning in DEEDS if meaning.key in ("item", "points"))
POINTS_MAX = 10_000
NAME_MAX = 60


def catalogue_on(sheet: Sheet) -> dict[str, int]:
    """The items and points of a catalogue sheet; empty for any other sheet. Rows without readable points are skipped.

    An item with two different points is left out, because it is unclear which of them applies.
    """
    header = find(sheet, _WANTED)
    if header is None or not {"item", "points"} <= header.columns.keys():
        return {}
    found: dict[str, set[int]] = {}
    for line in data_rows(header):
        item = cell_values.text(line.values.get("item"), NAME_MAX)
        points = amounts.parse_points(line.values.get("points"), 1, POINTS_MAX)
        if isinstance(item, str) and isinstance(points, int):
            found.setdefault(item, set()).add(points)
    return {item: points.pop() for item, points in found.items() if len(points) == 1}


def catalogues_on(sheets: Sequence[Sheet]) -> dict[str, dict[str, int]]:
    """The items and points of each sheet that is a catalogue, by the sheet's name."""
    return {sheet.name: found for sheet in sheets if (found := catalogue_on(sheet))}
