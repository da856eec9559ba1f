"""The state of an import while its file is examined or a batch of its rows is written: known keys, records made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from timebank.core import clock, database, vault
from timebank.core.scope import Scope
from timebank.imports.cells.cell_values import plain_text
from timebank.imports.cells.problems import Problem
from timebank.imports.reports.reasons import Remark
from timebank.imports.sheets.parsed import InSheet, Parsed, Reading, without_numbers
from timebank.imports.words.words import Remembered, WordIn, WordKind

Kind = Literal["residents", "hours", "deeds", "goods", "members", "matters"]
Where = tuple[str, int, int]
"""Sheet, row, and the part of the row: which of its people or services."""
Noun = Literal[
    "person", "area", "role_grant", "guardianship", "activity", "service_record", "deed", "good", "stock", "stock_move",
    "affiliation", "person_skill", "matter", "matter_step",
]  # fmt: skip

FILE_NAME_MAX = 200


class Made(msgspec.Struct, frozen=True):
    """A record that an import has made."""

    noun: Noun
    noun_id: UUID


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A row to write. `cells`: heading, value and cell name of the columns for which it may still be refused."""

    key: bytes
    sheet: str
    row: int
    cells: dict[str, tuple[str, str, str]]


P = TypeVar("P", bound=Planned)
T = TypeVar("T", bound=InSheet)


@dataclass(frozen=True, slots=True)
class Ready(Generic[T, P]):
    """An examined file: its rows with their remarks, and the rows to write, of which `created` make something new."""

    parsed: Parsed[T]
    rows: Sequence[P]
    created: int


@dataclass(slots=True, kw_only=True)
class Intake:
    """A run while its file is examined or one batch is written. `created` counts the rows that made something new."""

    scope: Scope
    kind: Kind
    file_name: str
    id: UUID = field(default_factory=clock.new_id)
    created: int = 0
    answers: Sequence[WordIn] = ()
    """The meanings of words that a trial run assumes; a real run has stored them beforehand."""
    is_whole: bool = False  # all rows of the run are in this one batch
    late: list[Remark] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """What an undo reports about the whole run."""
    _made: list[tuple[bytes, Made]] = field(default_factory=list)

    def answered(self, kind: WordKind) -> list[WordIn]:
        """The answers about words of a kind."""
        return [answer for answer in self.answers if answer.kind == kind]

    def supposed(self, kind: WordKind) -> dict[str, Remembered]:
        """The words of a kind that a trial run treats as decided by the caller."""
        return {one.key: Remembered(one.key, None, self.scope.actor_id) for one in self.answered(kind)}

    def key(self, *meaning: object) -> bytes:
        """Deterministic HMAC of what a row says, for equality look-up: equal rows of any file have one key."""
        said = msgspec.json.encode([self.scope.community_id, *meaning], enc_hook=str).decode()
        return vault.blind_index(said, f"import {self.kind}")

    async def known(self, keys: Collection[bytes]) -> dict[bytes, UUID]:
        """The record that the row of each key made in an earlier import."""
        found = await database.fetch(
            "SELECT i.row_key, coalesce(p.merged_into, i.noun_id) AS noun_id FROM import_row i "
            "LEFT JOIN person p ON p.community_id = i.community_id AND p.id = i.noun_id "
            "WHERE i.community_id = $1 AND i.kind = $2 AND i.row_key = ANY ($3)",
            self.scope.community_id, self.kind, list(keys),
        )  # fmt: skip
        return {row["row_key"]: UUID(bytes=row["noun_id"].bytes) for row in found}

    async def known_rows(self, keys: Mapping[Where, Sequence[bytes]]) -> set[Where]:
        """The positions of the rows that an earlier import has stored under one of their keys."""
        known = await self.known({key for of_row in keys.values() for key in of_row})
        return {where for where, of_row in keys.items() if not known.keys().isdisjoint(of_row)}

    async def made_by_run(self, noun: Noun) -> list[UUID]:
        """The ids of the records of a kind that the run has made.

        Callers then query by these ids: before ANALYZE the planner of a join does not know how many rows there are.
        """
        found = await database.fetch(
            "SELECT noun_id FROM import_row WHERE community_id = $1 AND run_id = $2 AND noun = $3",
            self.scope.community_id, self.id, noun,
        )  # fmt: skip
        return [UUID(bytes=row["noun_id"].bytes) for row in found]

    def row_made(self, key: bytes, noun: Noun, noun_id: UUID) -> None:
        """Note the record that a row has made."""
        self.created += 1
        self._made.append((key, Made(noun, noun_id)))

    def also_made(self, noun: Noun, noun_id: UUID) -> None:
        """Note a record that rows have made together, such as a building in which several people live."""
        self._made.append((self.key(noun, noun_id), Made(noun, noun_id)))

    def refuse_late(self, row: Planned, meaning: str, wrong: Problem) -> None:
        """Refuse a row that was good when the file was examined but may not be written now."""
        column, value, cell = row.cells.get(meaning, ("", "", ""))
        self.late.append(
            Remark(
                row=row.row,
                column=column,
                value=value,
                sheet=row.sheet,
                code=wrong.code,
                values=dict(wrong.values),
                cell=cell,
            )
        )

    async def write_made(self) -> None:
        """Store what was made so far, so that a later run knows the rows and an undo finds the records."""
        made, self._made = self._made, []
        rows = [(self.scope.community_id, self.kind, key, self.id, one.noun, one.noun_id) for key, one in made]
        await database.insert_many("import_row", ("community_id", "kind", "row_key", "run_id", "noun", "noun_id"), rows)


def cells_of(reading: Reading[T], *columns: str) -> dict[str, tuple[str, str, str]]:
    """A row's cells as they are shown, to store with it; "place|unit" means the first of these that the sheet has."""
    shown = {meaning: reading.place(meaning) for meaning in columns}
    return {meaning: cell for meaning, cell in shown.items() if any(cell)}


def plain_file_name(name: str) -> str:
    """A file name that may be stored and shown: without folders, control characters and phone or identity numbers."""
    last = plain_text(name).replace("\\", "/").rsplit("/", 1)[-1]
    return without_numbers(last)[:FILE_NAME_MAX] or "—"
