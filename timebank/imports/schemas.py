"""What goes out about imports that were made."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.imports.intake import Kind
from timebank.imports.reports.reasons import Refusal
from timebank.imports.reports.report import RowReport, Unused, Used
from timebank.imports.words.words import UnknownWord

State = Literal["running", "done", "stopped", "undoing", "undone"]


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An import, or its undoing, that goes on: ask for it by its `run_id`. `done` counts up to `rows`."""

    run_id: UUID
    done: int
    rows: int


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """An import that has changed something. `undo_until` is null once it cannot be taken back any more.

    While it is running or being undone, `done` of `total` rows are dealt with; `waits_for_worker` says that nothing
    will move it on until a worker runs. `stopped`: what forbade the rest, by its code.
    """

    id: UUID
    kind: Kind
    file_name: str
    skip_bad: bool
    rows: int
    accepted: int
    created: int
    started_by: str | None
    started_at: datetime
    undo_until: datetime | None
    undone_at: datetime | None
    state: State
    done: int
    total: int
    stopped: str | None = None
    waits_for_worker: bool = False


class RunDetail(RunOut, frozen=True, kw_only=True):
    """An import with its report, in words; at most a thousand errors and as many warnings were kept.

    `refusals` and `notices` count all of them by their reasons. `unknown` are those that nobody has decided yet.
    """

    errors: list[RowReport]
    warnings: list[RowReport]
    notes: list[str]
    unused_columns: list[Unused] = []
    used_columns: list[Used] = []
    refusals: list[Refusal] = []
    notices: list[Refusal] = []
    unknown: list[UnknownWord] = []
