"""The kinds of change that wait for a second person: how each is said, who must agree, and what carries it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.core.scope import Scope

Needs = Literal["above", "another"]


class Change(msgspec.Struct, frozen=True):
    """A change as it was proposed. `do` is what its kind carries out, `by` whoever proposed it."""

    id: UUID
    do: Any
    by: UUID | None
    person_id: UUID | None


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of change.

    `sentence` is Chinese with named values, marked for translation; {person} is whom it concerns. Where `in_force` the
    change has been made already and is only to be seen by a second person. `reveal` tells whoever decides what of a
    change is kept unreadable at rest: values of the sentence, from all that is kept of the change.
    """

    name: str
    sentence: str
    needs: Needs = "above"
    in_force: bool = False
    words: dict[str, dict[Any, str]] = field(default_factory=dict)
    reveal: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    without: dict[str, str] = field(default_factory=dict)
    """Another sentence where a value is missing."""

    def sentence_of(self, values: dict[str, Any]) -> str:
        return next((other for name, other in self.without.items() if values.get(name) is None), self.sentence)

    def said(self, change: dict[str, Any]) -> dict[str, Any]:
        """The values of the sentence, with the field's words for what is stored as a code."""
        values = {
            name: self.words.get(name, {}).get(value, value) if isinstance(value, str) else value
            for name, value in change["says"].items()
        }
        return values | (self.reveal(change) if self.reveal else {})


@dataclass(frozen=True, slots=True)
class Carrier:
    """What carries a kind out after the agreement, inside its transaction.

    `now` tells what stands there now, to be held against what stood there when the change was proposed.
    """

    do: Callable[[Scope, Change], Awaitable[None]]
    now: Callable[[Scope, Any], Awaitable[object]] | None = None
