"""The functions that carry out an import or undo batch by batch."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from timebank.imports.intake import Intake


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one kind of work. `batch` rows share a transaction: few enough not to delay requests at a counter.

    `take` writes one batch, and `finish` does what follows the last one. Both run inside a transaction and get rows of
    type `row`.
    """

    row: type[Any]
    batch: int
    take: Callable[[Intake, Any], Awaitable[None]]
    finish: Callable[[Intake, Any], Awaitable[None]]
