"""The type of a kind of change that waits for a second person: its sentence, who must agree, and its verbs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.core.scope import Scope

Needs = Literal["above", "another"]


class Change(msgspec.Struct, frozen=True):
    """A proposed change. `do` is the data for its verb, `by` the person who proposed it."""

    id: UUID
    do: Any
    by: UUID | None
    person_id: UUID | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Kind:
    """One kind of change.

    `sentence` is Chinese with named values, marked for translation; {person} is the person whom it concerns.
    `in_force`: the change has been made already, and a second person only has to see it. `words` holds the words for
    values that are stored as codes. `reveal` gets the stored change and returns the values that are encrypted at rest,
    in plain text for the person who decides.
    """

    name: str
    sentence: str
    needs: Needs = "above"
    in_force: bool = False
    words: dict[str, dict[Any, str]] = field(default_factory=dict)
    reveal: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    without: dict[str, str] = field(default_factory=dict)
    """By the name of a value: the sentence to use if that value is missing."""

    def sentence_of(self, values: dict[str, Any]) -> str:
        return next((other for name, other in self.without.items() if values.get(name) is None), self.sentence)

    def said(self, change: dict[str, Any]) -> dict[str, Any]:
        """The values of the sentence, with words for the values that are stored as codes."""
        values = {
            name: self.words.get(name, {}).get(value, value) if isinstance(value, str) else value
            for name, value in change["says"].items()
        }
        return values | (self.reveal(change) if self.reveal else {})


@dataclass(frozen=True, slots=True)
class Carrier:
    """The verbs of a kind. `do` makes the change once it is agreed to, in the same transaction.

    `now` reads the present value, to be compared with the value at the time of the proposal.
    """

    do: Callable[[Scope, Change], Awaitable[None]]
    now: Callable[[Scope, Any], Awaitable[object]] | None = None
