"""The outcome of an import as it is kept, shown and sent: what was read, what went in, and every row that did not."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from timebank.imports.cells.problems import SEVERAL, Problem
from timebank.imports.reports.marked import ShownRow, shown_rows
from timebank.imports.reports.reasons import LeftOut, Refusal, Remark, by_reason, cut_off
from timebank.imports.sheets.parsed import InSheet, Parsed, RowProblem
from timebank.imports.words.words import UnknownWord

T = TypeVar("T", bound=InSheet)

Outcome = Literal["tried", "imported", "unchanged", "refused", "incomplete"]
"""Only looked at; taken in; nothing that was not known before; nothing taken in because of the rows refused; taken in
without rows that were refused while it went on, though one bad row was to keep all the others out."""

REMARKS_KEPT_MAX = 1_000


class RowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One remark on one row, in words. `value` stands as in the sheet; identity numbers and phones are masked.

    `cell` is the cell's name, such as C12, where one is meant.
    Warnings that say the same of many rows are one, with the first of them and all of their numbers in `rows`.
    """

    row: int
    column: str
    value: str
    problem: str
    code: str
    sheet: str
    rows: list[int] = []
    cell: str = ""


class Unused(msgspec.Struct, frozen=True):
    """A column that holds something in `rows` data rows and was not read; `column` is its letter."""

    sheet: str
    column: str
    heading: str
    rows: int


class Used(msgspec.Struct, frozen=True):
    """A column and what it was read as, by the usual heading of that; `column` is its letter."""

    sheet: str
    column: str
    heading: str
    meaning: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of data rows, why the others were refused, and what to look at among those accepted.

    `accepted` rows are in, or would be; `created` of them were not known before. `run_id` names the run to undo.
    `refusals` and `notices` are the errors and warnings by their reasons. `shown` are the first rows of which something
    is said, with their cells; an import that was made keeps none.
    """

    rows: int
    accepted: int
    errors: list[RowReport]
    warnings: list[RowReport]
    notes: list[str] = []
    created: int = 0
    outcome: Outcome = "tried"
    run_id: UUID | None = None
    unused_columns: list[Unused] = []
    used_columns: list[Used] = []
    unknown: list[UnknownWord] = []
    refusals: list[Refusal] = []
    notices: list[Refusal] = []
    shown: list[ShownRow] = []


class Note(msgspec.Struct, frozen=True):
    """One remark on the whole file, as a code and values that are not worded yet."""

    code: str
    values: dict[str, str | int]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that is not worded yet. Of a refused file, `accepted` and `created` say what the rest would be."""

    rows: int
    accepted: int
    created: int
    outcome: Outcome
    errors: list[Remark]
    warnings: list[Remark]
    notes: list[Note]
    run_id: UUID | None = None
    unused_columns: list[Unused] = []
    used_columns: list[Used] = []
    unknown: list[UnknownWord] = []
    left_out: list[LeftOut] = []
    """Refusals beyond those kept one by one."""
    warnings_left_out: list[LeftOut] = []
    shown: list[ShownRow] = []

    def told(self, translate: Callable[[str], str] = str) -> Report:
        """The outcome in the reader's language."""
        return Report(
            rows=self.rows,
            accepted=0 if self.outcome == "refused" else self.accepted,
            errors=told_rows(self.errors, translate),
            warnings=told_rows(_alike_together(self.warnings), translate),
            notes=[Problem(note.code, note.values).sentence(translate) for note in self.notes],
            created=0 if self.outcome == "refused" else self.created,
            outcome=self.outcome,
            run_id=self.run_id,
            unused_columns=self.unused_columns,
            used_columns=self.used_columns,
            unknown=self.unknown,
            refusals=by_reason(self.errors, self.left_out, translate),
            notices=by_reason(self.warnings, self.warnings_left_out, translate),
            shown=self.shown,
        )

    def kept(self) -> "Findings":
        """As much of it as is worth keeping: whoever has a thousand rows refused mends the sheet, not the rows.

        A note says how many there were where some are left out.
        """
        errors, beyond = cut_off(self.errors, REMARKS_KEPT_MAX)
        every_warning = _alike_together(self.warnings)
        warnings, warnings_beyond = cut_off(every_warning, REMARKS_KEPT_MAX)
        left_out = [
            Note(f"note_{name}_left_out", {"most": REMARKS_KEPT_MAX, "count": len(every)})
            for name, every in (("errors", self.errors), ("warnings", every_warning))
            if len(every) > REMARKS_KEPT_MAX
        ]
        return msgspec.structs.replace(
            self, errors=errors, warnings=warnings, notes=[*self.notes, *left_out], shown=[],
            left_out=[*self.left_out, *beyond], warnings_left_out=[*self.warnings_left_out, *warnings_beyond],
        )  # fmt: skip


def findings(
    parsed: Parsed[T], outcome: Outcome = "tried", *, created: int = 0, run_id: UUID | None = None
) -> Findings:
    """What came of a file."""
    return Findings(
        rows=parsed.total,
        accepted=len(parsed.rows),
        created=created,
        outcome=outcome,
        errors=_remarks(parsed.problems),
        warnings=_remarks(parsed.warnings),
        notes=[Note(note.code, dict(note.values)) for note in parsed.notes],
        run_id=run_id,
        unused_columns=[Unused(one.sheet, one.column, one.heading, one.rows) for one in parsed.unused],
        used_columns=[Used(one.sheet, one.column, one.heading, one.meaning) for one in parsed.used],
        unknown=parsed.words,
        shown=shown_rows(parsed, [*parsed.problems, *parsed.warnings]),
    )


def report(parsed: Parsed[T], translate: Callable[[str], str] = str) -> Report:
    """Tell what was read in the reader's language, in the order of the sheet."""
    return findings(parsed).told(translate)


def _remarks(problems: Iterable[RowProblem]) -> list[Remark]:
    return [
        Remark(
            row=found.row, column=found.column, value=found.value, sheet=found.sheet, code=found.problem.code,
            values=dict(found.problem.values),
            cell=cell_name(found),
        )
        for found in problems
    ]  # fmt: skip


def cell_name(found: RowProblem) -> str:
    """C12; empty where no single cell is meant."""
    return f"{found.letter}{found.row}" if found.letter else ""


def _alike_together(remarks: Iterable[Remark]) -> list[Remark]:
    """One remark where several rows have the same said of the same column, so that the rare one is not lost in them."""
    alike: dict[tuple[object, ...], list[Remark]] = {}
    for remark in remarks:
        values = {} if remark.code in SEVERAL else remark.values
        said = (remark.sheet, remark.column, remark.code, "left_out" in remark.values, *sorted(values.items()))
        alike.setdefault(said, []).append(remark)
    return [_of_several(same) if len(same) > 1 else same[0] for same in alike.values()]


def _of_several(same: list[Remark]) -> Remark:
    values = same[0].values
    if any(one.values != values for one in same):
        values = {**values, "several": len(same)}
    return msgspec.structs.replace(same[0], values=values, rows=[one.row for one in same])


def told_rows(remarks: Iterable[Remark], translate: Callable[[str], str]) -> list[RowReport]:
    """Each remark in the reader's language."""
    return [
        RowReport(
            row=remark.row, column=remark.column, value=remark.value, problem=remark.sentence(translate),
            code=remark.code, sheet=remark.sheet, rows=remark.rows, cell=remark.cell,
        )
        for remark in remarks
    ]  # fmt: skip
