"""What work consists of that is done batch by batch."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from timebank.imports.intake import Intake


@dataclass(frozen=True, slots=True)
class Steps:
    """`batch` rows are done in one transaction: so few that nobody at a counter notices the wait for them.

    `take` does a batch and `finish` what follows the last one, each inside a transaction and given rows of the shape
    `row`.
    """

    row: type[Any]
    batch: int
    take: Callable[[Intake, Any], Awaitable[None]]
    finish: Callable[[Intake, Any], Awaitable[None]]
