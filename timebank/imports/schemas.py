"""What goes out about imports that were made."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.imports.intake import Kind
from timebank.imports.report import RowReport, Unused


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """An import that has changed something. `undo_until` is null once it cannot be taken back any more."""

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


class RunDetail(RunOut, frozen=True, kw_only=True):
    """An import with its report, in words; at most a thousand errors and as many warnings were kept."""

    errors: list[RowReport]
    warnings: list[RowReport]
    notes: list[str]
    unused_columns: list[Unused] = []
