"""The conditions of a list: only those that its reader has asked for are part of the statement.

A connection keeps one plan of a statement for all values. A condition such as `$2::uuid IS NULL OR person_id = $2`
would therefore be planned as if nobody were named, and the whole table read for one person.
"""

import re
from collections.abc import Sequence


class Filters:
    """Conditions with their values, to be put after the `WHERE community_id = $1` of a SELECT.

    The values given first are $1, $2, ... of the SELECT itself.
    """

    def __init__(self, *values: object) -> None:
        self.values: list[object] = list(values)
        self.sql = ""

    def add(self, condition: str, *values: object) -> None:
        """Add `AND condition`, in which each {} stands for the next value."""
        self.sql += f" AND {condition.format(*map(self.mark, values))}"

    def add_given(self, condition: str, *values: object | None) -> None:
        """Add a condition unless its first value is None: the reader does not ask for it."""
        if values[0] is not None:
            self.add(condition, *values)

    def add_any(self, *conditions: tuple[str, Sequence[object]]) -> None:
        """Add that one of these conditions holds, in each of which {} stands for its list.

        A condition with an empty list cannot hold, and is left out.
        """
        held = [condition.format(self.mark(given)) for condition, given in conditions if given]
        self.sql += f" AND ({' OR '.join(held) or 'false'})"

    def add_word(self, condition: str, word: str | None) -> None:
        """Add a condition unless the word is None; the word stands in the text, not in a parameter.

        For a status: the plan then depends on how rare it is. Raises ValueError for anything but a few small letters.
        """
        if word is not None:
            if not re.fullmatch("[a-z_]{1,40}", word):
                raise ValueError("not a word of the program")
            self.sql += " AND " + condition.format(f"'{word}'")

    def add_after(self, columns: str, comparison: str, cursor: tuple[object, ...] | None) -> None:
        """Add that the page goes on from a cursor, with whose values `columns` are compared by < or >.

        Without a cursor nothing is added: it is the first page.
        """
        if cursor is not None:
            self.add(f"({columns}) {comparison} ({', '.join('{}' for _ in cursor)})", *cursor)

    def mark(self, value: object) -> str:
        """The parameter that carries a value, such as `$4`."""
        self.values.append(value)
        return f"${len(self.values)}"


def most(rows: int) -> str:
    """The number of a LIMIT, as it stands in the text of a statement.

    With a parameter in its place the plan would be made for a tenth of all rows.
    """
    return str(int(rows))
