"""One file being looked at, or a batch of its rows being written: what is known already, what the others make."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.scope import Scope
from timebank.imports.cells.problems import Problem
from timebank.imports.cells.values import words
from timebank.imports.reports.reasons import Remark
from timebank.imports.sheets.parsed import InSheet, Parsed, Reading, without_numbers
from timebank.imports.words.words import Remembered, WordIn, WordKind

Kind = Literal["residents", "hours", "deeds", "goods"]
Where = tuple[str, int, int]
"""Sheet, row, and which of the people that it names."""
Noun = Literal[
    "person", "area", "role_grant", "guardianship", "activity", "service_record", "deed", "good", "stock", "stock_move"
]

FILE_NAME_MAX = 200


class Made(msgspec.Struct, frozen=True):
    """A record that an import has made."""

    noun: Noun
    noun_id: UUID


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A row to be written. `cells`: heading, value and place of the columns for which it may still be refused."""

    key: bytes
    sheet: str
    row: int
    cells: dict[str, tuple[str, str, str]]


P = TypeVar("P", bound=Planned)
T = TypeVar("T", bound=InSheet)


@dataclass(frozen=True, slots=True)
class Ready(Generic[T, P]):
    """What was found in a file: its remarks, and the rows to write, of which `created` would make something new."""

    parsed: Parsed[T]
    rows: Sequence[P]
    created: int


@dataclass(slots=True)
class Intake:
    """A run, seen from one look at its file or from one batch. `created` counts the rows that made something new."""

    scope: Scope
    kind: Kind
    file_name: str
    id: UUID = field(default_factory=clock.new_id)
    created: int = 0
    answers: Sequence[WordIn] = ()
    """What a trial takes the book's words for; a run finds them remembered."""
    is_whole: bool = False  # all rows of the run are in this one batch
    late: list[Remark] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """What an undoing has to say of the whole."""
    _made: list[tuple[bytes, Made]] = field(default_factory=list)

    def answered(self, kind: WordKind) -> list[WordIn]:
        """The answers about words of a kind."""
        return [answer for answer in self.answers if answer.kind == kind]

    def supposed(self, kind: WordKind) -> dict[str, Remembered]:
        """The words of a kind that a trial takes for decided by the caller."""
        return {one.key: Remembered(one.key, None, self.scope.actor_id) for one in self.answered(kind)}

    def key(self, *meaning: object) -> bytes:
        """Deterministic HMAC of what a row says, for equality look-up: equal rows of any file have one key."""
        said = msgspec.json.encode([self.scope.community_id, *meaning], enc_hook=str).decode()
        return vault.blind_index(said, f"import {self.kind}")

    async def known(self, keys: Collection[bytes]) -> dict[bytes, UUID]:
        """What the rows of these keys have made in earlier imports."""
        found = await database.fetch(
            "SELECT i.row_key, coalesce(p.merged_into, i.noun_id) AS noun_id FROM import_row i "
            "LEFT JOIN person p ON p.community_id = i.community_id AND p.id = i.noun_id "
            "WHERE i.community_id = $1 AND i.kind = $2 AND i.row_key = ANY ($3)",
            self.scope.community_id, self.kind, list(keys),
        )  # fmt: skip
        return {row["row_key"]: UUID(bytes=row["noun_id"].bytes) for row in found}

    async def known_rows(self, keys: Mapping[Where, Sequence[bytes]]) -> set[Where]:
        """Where the rows stand that an earlier import knows by one of their keys."""
        known = await self.known({key for of_row in keys.values() for key in of_row})
        return {where for where, of_row in keys.items() if not known.keys().isdisjoint(of_row)}

    async def made_by_run(self, noun: Noun) -> list[UUID]:
        """What the run has made of a kind. Their rows are then found by these ids: a join would be planned without
        knowing how many there are, before the database has counted them."""
        found = await database.fetch(
            "SELECT noun_id FROM import_row WHERE community_id = $1 AND run_id = $2 AND noun = $3",
            self.scope.community_id, self.id, noun,
        )  # fmt: skip
        return [UUID(bytes=row["noun_id"].bytes) for row in found]

    def row_made(self, key: bytes, noun: Noun, noun_id: UUID) -> None:
        """Note what a row has made."""
        self.created += 1
        self._made.append((key, Made(noun, noun_id)))

    def also_made(self, noun: Noun, noun_id: UUID) -> None:
        """Note what the rows made together, such as the building that several of them live in."""
        self._made.append((self.key(noun, noun_id), Made(noun, noun_id)))

    def refuse_late(self, row: Planned, meaning: str, wrong: Problem) -> None:
        """Leave out a row that something forbids since the file was looked at."""
        column, value, cell = row.cells.get(meaning, ("", "", ""))
        self.late.append(Remark(row.row, column, value, row.sheet, wrong.code, dict(wrong.values), cell=cell))

    async def write_made(self) -> None:
        """Keep what was made so far, so that a second run knows the rows and an undoing finds the records."""
        made, self._made = self._made, []
        rows = [(self.scope.community_id, self.kind, key, self.id, one.noun, one.noun_id) for key, one in made]
        await database.insert_many("import_row", ("community_id", "kind", "row_key", "run_id", "noun", "noun_id"), rows)


def cells_of(reading: Reading[T], *columns: str) -> dict[str, tuple[str, str, str]]:
    """How a row's cells are shown, to be kept with it: "place|unit" is the first of these that the sheet has."""
    shown = {meaning: reading.place(meaning) for meaning in columns}
    return {meaning: cell for meaning, cell in shown.items() if any(cell)}


def plain_file_name(name: str) -> str:
    """A file's name as it may be kept and shown: without folders, control characters and people's numbers."""
    last = words(name).replace("\\", "/").rsplit("/", 1)[-1]
    return without_numbers(last)[:FILE_NAME_MAX] or "—"
