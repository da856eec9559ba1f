"""The outcome of an import as it is stored, shown and sent: what was read, what was imported and what was refused."""

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
"""`tried`: a trial run. `imported`: rows were imported. `unchanged`: every row was known before. `refused`: nothing was
imported because of refused rows. `incomplete`: an all-or-nothing run had rows refused after others were written."""

REMARKS_KEPT_MAX = 1_000


class RowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One remark on one row, as a sentence. `value` is the cell's text with identity numbers and phones masked.

    `cell` is the cell's name, such as C12, if the remark is about one.
    Equal warnings on several rows become one, for the first row and with all row numbers in `rows`.
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
    """A column that was not read although `rows` data rows have a value in it; `column` is its letter."""

    sheet: str
    column: str
    heading: str
    rows: int


class Used(msgspec.Struct, frozen=True):
    """A column and its meaning, named by the usual heading; `column` is its letter."""

    sheet: str
    column: str
    heading: str
    meaning: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of data rows, the errors of refused rows, and the warnings on accepted ones.

    `accepted` rows are imported, or would be; `created` counts those that made something new. `run_id` is the run to
    undo. `refusals` and `notices` are the errors and warnings grouped by reason. `shown` are the first rows that have a
    remark, with their cells; they are not stored with a run.
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
    """One remark on the whole file, as a code and values that are not yet formatted as a sentence."""

    code: str
    values: dict[str, str | int]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as codes and values. For a refused file, `accepted` and `created` count what would be imported."""

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
    """Errors beyond those that are stored one by one."""
    warnings_left_out: list[LeftOut] = []
    shown: list[ShownRow] = []

    def told(self, translate: Callable[[str], str] = str) -> Report:
        """The outcome in the reader's language."""
        return Report(
            rows=self.rows,
            accepted=0 if self.outcome == "refused" else self.accepted,
            errors=format_rows(self.errors, translate),
            warnings=format_rows(_alike_together(self.warnings), translate),
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
        """The findings to store: at most REMARKS_KEPT_MAX errors and warnings, with a note that counts those left out.

        With that many refused rows the user corrects the sheet as a whole, not row by row.
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
    """The findings for a parsed file."""
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
    """The cell's name, such as C12; empty if no single cell is meant."""
    return f"{found.letter}{found.row}" if found.letter else ""


def _alike_together(remarks: Iterable[Remark]) -> list[Remark]:
    """Merge equal remarks on the same column into one, so that a rare remark is not lost among them."""
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


def format_rows(remarks: Iterable[Remark], translate: Callable[[str], str]) -> list[RowReport]:
    """Each remark in the reader's language."""
    return [
        RowReport(
            row=remark.row, column=remark.column, value=remark.value, problem=remark.sentence(translate),
            code=remark.code, sheet=remark.sheet, rows=remark.rows, cell=remark.cell,
        )
        for remark in remarks
    ]  # fmt: skip
