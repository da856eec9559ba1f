"""Groups the remarks on rows by reason, so that each reason appears once with its rows and one sentence."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from timebank.imports.cells.problems import Problem

ROWS_NAMED_MAX = 20


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One remark on one row, or on `rows`, as a code and values that are not yet formatted as a sentence.

    `cell` is the cell's name, such as C12, if the remark is about one.
    """

    row: int
    column: str
    value: str
    sheet: str
    code: str
    values: dict[str, str | int]
    rows: list[int] = []
    cell: str = ""

    @property
    def reason(self) -> tuple[str, str, bool]:
        """The key by which remarks are grouped: those with the same key are corrected in the same way."""
        return self.code, self.column, bool(self.values.get("left_out"))

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The sentence that says what is wrong and what to do."""
        return Problem(self.code, self.values).sentence(translate)

    @property
    def count(self) -> int:
        """The number of rows that the remark is about."""
        return len(self.rows) or 1

    @property
    def places(self) -> list[str]:
        """Its cells, or its rows if no cell is meant, each with the sheet's name: “台账 C12”."""
        letter = self.cell.rstrip("0123456789")
        return [f"{self.sheet} {letter}{row}".strip() for row in self.rows or [self.row]]


class LeftOut(msgspec.Struct, frozen=True):
    """The remarks of one reason that are not stored one by one: the first of them, and the number of their rows."""

    first: Remark
    count: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for which `count` rows were refused, the first of them in `rows`; `problem` says how to correct them.

    `places` lists their cells, each preceded by the sheet's name. With `varies`, `problem` is the first row's sentence,
    and the others' sentences contain other values.
    """

    code: str
    column: str
    problem: str
    count: int
    rows: list[int]
    places: list[str] = []
    varies: bool = False


def by_reason(
    remarks: Iterable[Remark], left_out: Iterable[LeftOut] = (), translate: Callable[[str], str] = str
) -> list[Refusal]:
    """Each reason once, the one with the most rows first."""
    alike: dict[tuple[str, str, bool], list[Remark]] = {}
    for remark in remarks:
        alike.setdefault(remark.reason, []).append(remark)
    beyond: Counter[tuple[str, str, bool]] = Counter()
    for cut in left_out:
        alike.setdefault(cut.first.reason, []).append(cut.first)
        beyond[cut.first.reason] += cut.count - cut.first.count
    told = [_in_words(same, beyond[reason], translate) for reason, same in alike.items()]
    return sorted(told, key=lambda refusal: -refusal.count)


def _in_words(same: list[Remark], beyond: int, translate: Callable[[str], str]) -> Refusal:
    rows = [row for one in same for row in one.rows or [one.row]]
    places = [place for one in same[:ROWS_NAMED_MAX] for place in one.places[:ROWS_NAMED_MAX]]
    return Refusal(
        code=same[0].code, column=same[0].column, problem=same[0].sentence(translate), count=len(rows) + beyond,
        rows=rows[:ROWS_NAMED_MAX], places=places[:ROWS_NAMED_MAX],
        varies=any(one.values != same[0].values for one in same),
    )  # fmt: skip


def cut_off(remarks: list[Remark], most: int) -> tuple[list[Remark], list[LeftOut]]:
    """Split off the first `most` remarks; the others are returned as one LeftOut for each reason."""
    beyond: dict[tuple[str, str, bool], list[Remark]] = {}
    for remark in remarks[most:]:
        beyond.setdefault(remark.reason, []).append(remark)
    return remarks[:most], [LeftOut(same[0], sum(one.count for one in same)) for same in beyond.values()]
