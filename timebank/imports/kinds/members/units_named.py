"""The units of the county as a workbook writes them: in a cell, in the title of a list, or as the name of its sheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank.imports.cells.cell_values import plain_text
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.context import titles_of
from timebank.imports.sheets.header import Header
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.words import word_key


@dataclass(frozen=True, slots=True)
class Units:
    """The units in use of the county, by the key of their name: spaces, width and marks make no difference."""

    options: Sequence[tuple[UUID, str]]
    by_key: dict[str, UUID] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {word_key(name): unit_id for unit_id, name in self.options})

    def of(self, name: str) -> UUID | Problem:
        """The unit of a name. An unknown one is a problem that names the most similar unit, and never a guess."""
        found = self.by_key.get(word_key(name))
        if found is not None:
            return found
        alike = most_alike(name, [(each, each) for _id, each in self.options])
        if alike:
            return problem("unit_not_listed_alike", unit=name, alike="、".join(alike))
        return problem("unit_not_listed", unit=name)

    def titled(self, header: Header, between: Sequence[Row]) -> UUID | None:
        """The one unit that the nearest titles name, else the sheet's name; None where they name none or several."""
        for texts in (_texts(between), _texts(titles_of(header)), [header.sheet.name]):
            named = self._within(word_key(" ".join(texts)))
            if named:
                return named.pop() if len(named) == 1 else None
        return None

    def _within(self, said: str) -> set[UUID]:
        """The units that a text names; one whose name is a part of another that it names does not count."""
        keys = [key for key in self.by_key if key and key in said]
        return {
            self.by_key[key] for key in keys if not any(key != longer and key in longer for longer in keys)
        }  # fmt: skip


def _texts(rows: Sequence[Row]) -> list[str]:
    return [plain_text(cell) for row in rows for cell in row.cells if cell]
