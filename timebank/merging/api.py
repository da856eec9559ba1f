"""Merging two records of one person over HTTP."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.agreements.schemas import Waiting
from timebank.core.scope import Scope
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.merging import duplicates, merging
from timebank.merging.merges import MergeOut, merges_of
from timebank.merging.undoing import undo_merge


class Merging(Controller):
    path = "/people"

    @get("/duplicates")
    async def alike(self, caller: NamedDependency[Scope]) -> list[duplicates.Pair]:
        """Records that may belong to one person, for an administrator to check; none is merged automatically."""
        return await duplicates.possible_duplicates(caller)

    @get("/{person_id:uuid}/merge")
    async def compare(
        self, person_id: FromPath[UUID], merged_id: FromQuery[UUID], caller: NamedDependency[Scope]
    ) -> list[duplicates.Holding]:
        """What each of two records holds, to compare them before a merge."""
        return await duplicates.side_by_side(caller, person_id, merged_id)

    @post("/{person_id:uuid}/merge", responses=WAITS)
    async def merge(
        self, person_id: FromPath[UUID], data: JSONBody[merging.MergeIn], caller: NamedDependency[Scope]
    ) -> Response[MergeOut | Waiting]:
        """Merge another record of the same person into this one; some merges wait for a second person."""
        return done_or_waiting(await merging.merge(caller, person_id, data))

    @get("/{person_id:uuid}/merges")
    async def merges(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> list[MergeOut]:
        """The merges into this record."""
        return await merges_of(caller, person_id)

    @delete("/{person_id:uuid}/merges/{merge_id:uuid}", status_code=200)
    async def undo_merge(
        self, person_id: FromPath[UUID], merge_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> MergeOut:
        """Undo a merge within a day."""
        return await undo_merge(caller, person_id, merge_id)
