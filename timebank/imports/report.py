"""The outcome of an import as it is kept, shown and sent: what was read, what went in, and every row that did not."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from timebank.imports.parsed import InSheet, Parsed, RowProblem
from timebank.imports.problems import SEVERAL, Problem
from timebank.imports.words import UnknownWord

T = TypeVar("T", bound=InSheet)

Outcome = Literal["tried", "imported", "unchanged", "refused"]
"""Only looked at; taken in; nothing that was not known before; nothing taken in because of the rows refused."""

REMARKS_KEPT_MAX = 1_000
REFUSAL_ROWS_MAX = 20


class RowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One remark on one row, in words. `value` stands as in the sheet; identity numbers and phones are masked.

    Warnings that say the same of many rows are one, with the first of them and all of their numbers in `rows`.
    """

    row: int
    column: str
    value: str
    problem: str
    code: str
    sheet: str
    rows: list[int] = []


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


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for which `count` rows were refused, the first of them in `rows`; `problem` says how to mend them."""

    code: str
    column: str
    problem: str
    count: int
    rows: list[int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of data rows, why the others were refused, and what to look at among those accepted.

    `accepted` rows are in, or would be; `created` of them were not known before. `run_id` names the run to undo.
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
    unknown_words: list[UnknownWord] = []
    refusals: list[Refusal] = []


class Remark(msgspec.Struct, frozen=True):
    """One remark on one row, in no language yet."""

    row: int
    column: str
    value: str
    sheet: str
    code: str
    values: dict[str, str | int]
    rows: list[int] = []


class Note(msgspec.Struct, frozen=True):
    """One remark on the whole file, in no language yet."""

    code: str
    values: dict[str, str | int]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome in no language yet. Of a refused file, `accepted` and `created` say what the rest would be."""

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
    unknown_words: list[UnknownWord] = []

    def told(self, translate: Callable[[str], str] = str) -> Report:
        """The outcome in the reader's language."""
        errors = [_told(remark, translate) for remark in self.errors]
        return Report(
            rows=self.rows,
            accepted=0 if self.outcome == "refused" else self.accepted,
            errors=errors,
            warnings=[_told(remark, translate) for remark in self.warnings],
            notes=[Problem(note.code, note.values).sentence(translate) for note in self.notes],
            created=0 if self.outcome == "refused" else self.created,
            outcome=self.outcome,
            run_id=self.run_id,
            unused_columns=self.unused_columns,
            used_columns=self.used_columns,
            unknown_words=self.unknown_words,
            refusals=by_reason(errors),
        )

    def kept(self) -> "Findings":
        """As much of it as is worth keeping: whoever has a thousand rows refused mends the sheet, not the rows.

        A note says how many there were where some are left out.
        """
        cut = {"errors": self.errors[:REMARKS_KEPT_MAX], "warnings": self.warnings[:REMARKS_KEPT_MAX]}
        left_out = [
            Note(f"note_{name}_left_out", {"most": REMARKS_KEPT_MAX, "count": len(every)})
            for name, every in (("errors", self.errors), ("warnings", self.warnings))
            if len(every) > REMARKS_KEPT_MAX
        ]
        return msgspec.structs.replace(self, **cut, notes=[*self.notes, *left_out])


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
        warnings=_alike_together(_remarks(parsed.warnings)),
        notes=[Note(note.code, dict(note.values)) for note in parsed.notes],
        run_id=run_id,
        unused_columns=[Unused(one.sheet, one.column, one.heading, one.rows) for one in parsed.unused],
        used_columns=[Used(one.sheet, one.column, one.heading, one.meaning) for one in parsed.used],
        unknown_words=parsed.words,
    )


def by_reason(errors: Iterable[RowReport]) -> list[Refusal]:
    """Why rows were refused, each reason once, the most frequent first. Of sentences that differ the first stands."""
    alike: dict[tuple[str, str], list[RowReport]] = {}
    for error in errors:
        alike.setdefault((error.code, error.column), []).append(error)
    told = [
        Refusal(
            code=code, column=column, problem=same[0].problem, count=len(same),
            rows=[error.row for error in same[:REFUSAL_ROWS_MAX]],
        )
        for (code, column), same in alike.items()
    ]  # fmt: skip
    return sorted(told, key=lambda refusal: -refusal.count)


def report(parsed: Parsed[T], translate: Callable[[str], str] = str) -> Report:
    """Tell what was read in the reader's language, in the order of the sheet."""
    return findings(parsed).told(translate)


def _remarks(problems: Iterable[RowProblem]) -> list[Remark]:
    return [
        Remark(found.row, found.column, found.value, found.sheet, found.problem.code, dict(found.problem.values))
        for found in problems
    ]


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


def _told(remark: Remark, translate: Callable[[str], str]) -> RowReport:
    return RowReport(
        row=remark.row,
        column=remark.column,
        value=remark.value,
        problem=Problem(remark.code, remark.values).sentence(translate),
        code=remark.code,
        sheet=remark.sheet,
        rows=remark.rows,
    )
