"""The API's output structs for imports."""

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
    """An import or undo in progress, to be requested by its `run_id`. `done` counts up to `rows`."""

    run_id: UUID
    done: int
    rows: int


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """An import that has changed something. `undo_until` is null once it can no longer be undone.

    While it is running or being undone, `done` of `total` rows are processed; `waits_for_worker` means that it does not
    continue until a worker runs. `stopped` is the code of the error that stopped it.
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
    """An import with its report as sentences; at most a thousand errors and a thousand warnings are stored.

    `refusals` and `notices` count all of them by reason. `unknown` are the words without a decided meaning.
    """

    errors: list[RowReport]
    warnings: list[RowReport]
    notes: list[str]
    unused_columns: list[Unused] = []
    used_columns: list[Used] = []
    refusals: list[Refusal] = []
    notices: list[Refusal] = []
    unknown: list[UnknownWord] = []
