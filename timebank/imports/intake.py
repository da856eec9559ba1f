"""One file being taken in: which of its rows are known already, and what the others have made."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import msgspec

from timebank import clock, database, vault
from timebank.imports.cells import words
from timebank.imports.parsed import without_numbers
from timebank.scope import Scope

Kind = Literal["residents", "hours", "deeds", "goods"]
Noun = Literal[
    "person", "area", "role_grant", "guardianship", "activity", "service_record", "deed", "good", "stock", "stock_move"
]

FILE_NAME_MAX = 200


class Made(msgspec.Struct, frozen=True):
    """A record that an import has made."""

    noun: Noun
    noun_id: UUID


@dataclass(slots=True)
class Intake:
    """A run before it is written down. `created` counts the rows that made something new."""

    scope: Scope
    kind: Kind
    file_name: str
    id: UUID = field(default_factory=clock.new_id)
    created: int = 0
    _made: list[tuple[bytes, Made]] = field(default_factory=list)

    def key(self, *meaning: object) -> bytes:
        """The keyed hash of what a row says: equal rows of any file have equal keys, and nothing else can be told."""
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
        return {row["row_key"]: row["noun_id"] for row in found}

    def row_made(self, key: bytes, noun: Noun, noun_id: UUID) -> None:
        """Note what a row has made."""
        self.created += 1
        self._made.append((key, Made(noun, noun_id)))

    def also_made(self, noun: Noun, noun_id: UUID) -> None:
        """Note what the rows made together, such as the building that several of them live in."""
        self._made.append((self.key(noun, noun_id), Made(noun, noun_id)))

    async def write_made(self) -> None:
        """Keep what was made, so that a second run knows the rows and an undoing finds the records."""
        await database.execute(
            "INSERT INTO import_row (community_id, kind, row_key, run_id, noun, noun_id) "
            "SELECT $1, $2, r.row_key, $3, r.noun, r.noun_id "
            "FROM unnest($4::bytea[], $5::text[], $6::uuid[]) AS r (row_key, noun, noun_id)",
            self.scope.community_id, self.kind, self.id, [key for key, _ in self._made],
            [made.noun for _, made in self._made], [made.noun_id for _, made in self._made],
        )  # fmt: skip


def plain_file_name(name: str) -> str:
    """A file's name as it may be kept and shown: without folders, control characters and people's numbers."""
    last = words(name).replace("\\", "/").rsplit("/", 1)[-1]
    return without_numbers(last)[:FILE_NAME_MAX] or "—"


async def wait_turn(scope: Scope) -> None:
    """Let imports and undoings of one community follow one another, so that each sees what the one before has made."""
    # The row is locked in a way that those who only refer to the community do not wait for.
    await database.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
    await database.fetch_value("SELECT id FROM region WHERE id = $1 FOR NO KEY UPDATE", scope.community_id)
    await database.execute(f"SET LOCAL lock_timeout = '{database.LOCK_TIMEOUT}'")


WAIT = "40s"
