"""Decides whom a row of a list of members means: a resident, or somebody who is to be registered."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from timebank.core import database, names, vault
from timebank.core.scope import Scope
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.kinds.members.read import MemberRow


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A registered person whom a list may mean, under one of their records."""

    id: UUID
    name_key: str
    status: str
    born_on: date | None
    identity_index: bytes | None
    phone_index: bytes | None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says of its person, in the form in which it is compared."""

    name_key: str
    born_on: date | None
    identity_index: bytes | None
    phone_index: bytes | None

    @property
    def is_identifiable(self) -> bool:
        """Whether it is enough to register somebody who is not known here."""
        return self.identity_index is not None or self.born_on is not None or self.phone_index is not None


Refused = tuple[str, Problem]
"""The column to name, and why the row is refused."""


def said_by(row: MemberRow) -> Said:
    return Said(
        name_key=names.key(row.name), born_on=row.born_on,
        identity_index=vault.blind_index(row.identity, "identity") if row.identity else None,
        phone_index=vault.blind_index(row.phone, "phone") if row.phone else None,
    )  # fmt: skip


async def known_people(scope: Scope, said: Sequence[Said]) -> list[Known]:
    """Everybody in the community with one of these names, phones or identity numbers; one statement."""
    return await database.rows(
        Known,
        "SELECT coalesce(k.id, p.id) AS id, p.name_key, coalesce(k.status, p.status) AS status, p.born_on, "
        "p.identity_index, p.phone_index FROM person p "
        "LEFT JOIN person k ON k.community_id = p.community_id AND k.id = p.merged_into WHERE p.community_id = $1 "
        "AND (p.name_key = ANY ($2) OR p.phone_index = ANY ($3) OR p.identity_index = ANY ($4)) ORDER BY p.id",
        scope.community_id, list({one.name_key for one in said}),
        list({one.phone_index for one in said if one.phone_index}),
        list({one.identity_index for one in said if one.identity_index}),
    )  # fmt: skip


class People:
    """The known people by name, phone and identity number."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by_identity: dict[bytes, Known] = {}
        self._by_name: dict[str, list[Known]] = {}
        self._by_phone: dict[bytes, list[Known]] = {}
        for one in known:
            if one.identity_index:
                self._by_identity[one.identity_index] = one
            if one.phone_index:
                self._by_phone.setdefault(one.phone_index, []).append(one)
            self._by_name.setdefault(one.name_key, []).append(one)

    def meant(self, said: Said) -> Known | Refused | None:
        """Whom a row means: the resident, None for somebody who is not registered yet, or why it is unclear."""
        owner = self._by_identity.get(said.identity_index) if said.identity_index else None
        if owner is not None:
            return owner if owner.name_key == said.name_key else ("identity", problem("identity_taken"))
        namesakes = [one for one in self._by_name.get(said.name_key, []) if not _contradicts(one, said)]
        for same in (_of_phone, _of_birth):
            found = [one for one in namesakes if same(one, said)]
            if found:
                return _only(found)
        if said.identity_index is not None:
            return None  # the number says that it is somebody else
        if said.phone_index is None and said.born_on is None:
            return _only(namesakes) if namesakes else ("name", problem("not_identifiable"))
        if namesakes:
            return "phone|name", problem("member_namesake")
        if said.phone_index in self._by_phone and said.born_on is None:
            return "phone", problem("member_phone_of_another")
        return None


def _contradicts(one: Known, said: Said) -> bool:
    """Whether a namesake is another person: another identity number, or another date of birth."""
    other_number = one.identity_index and said.identity_index and one.identity_index != said.identity_index
    return bool(other_number) or (one.born_on is not None and said.born_on not in (None, one.born_on))


def _of_phone(one: Known, said: Said) -> bool:
    return said.phone_index is not None and one.phone_index == said.phone_index


def _of_birth(one: Known, said: Said) -> bool:
    return said.born_on is not None and one.born_on == said.born_on


def _only(found: Collection[Known]) -> Known | Refused:
    """The one person among these records, of whom an active one goes before others."""
    active = [one for one in found if one.status == "active"] or list(found)
    ids = {one.id for one in active}
    return active[0] if len(ids) == 1 else ("name", problem("ambiguous_person", count=len(ids)))
