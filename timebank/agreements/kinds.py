"""The kinds of change that wait for a second person: how each is said, who must agree, and what carries it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.scope import Scope

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
    change has been made already and is only to be seen by a second person.
    """

    name: str
    sentence: str
    needs: Needs = "above"
    in_force: bool = False
    words: dict[str, dict[Any, str]] = field(default_factory=dict)

    def said(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of the sentence, with the field's words for what is stored as a code."""
        return {
            name: self.words.get(name, {}).get(value, value) if isinstance(value, str) else value
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class Carrier:
    """What carries a kind out after the agreement, inside its transaction.

    `now` tells what stands there now, to be held against what stood there when the change was proposed.
    """

    do: Callable[[Scope, Change], Awaitable[None]]
    now: Callable[[Scope, Any], Awaitable[object]] | None = None
