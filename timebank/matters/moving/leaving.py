"""A report whose place is in another community leaves: it is refused here, and a row of the outbox takes it there."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Invalid, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.matters.reading.rows import MatterRow
from timebank.matters.schemas import RefuseIn
from timebank.outbox.putting import put

MOVES = ("report", "event")
"""The kinds of matter that may turn out to be another community's."""
LEAVES, ARRIVED, NEWS = "matter_moves", "matter_arrived", "matter_moved_news"


class MattersNotUsedThere(TimebankError):
    code = "matters_not_used_there"
    status = 422
    sentence = "那个社区没有开通“事项”，转不过去。请选别的原因，在说明里写清该找谁。"


class Elsewhere(msgspec.Struct, frozen=True):
    """Another community of the county that has switched matters on."""

    id: UUID
    name: str


async def communities_to_move_to(scope: Scope) -> Sequence[Elsewhere]:
    """The communities of the county to which a report may go, by name."""
    async with transaction(scope):
        return await database.rows(
            Elsewhere, "SELECT id, name FROM communities_with_matters($1) ORDER BY name, id", scope.community_id
        )


async def destination(scope: Scope, row: MatterRow, wanted: RefuseIn) -> Elsewhere | None:
    """The community to which a refusal sends the matter; None for any other reason than its place.

    Raises Invalid, and MattersNotUsedThere for a community that would not find it.
    """
    if wanted.because != "elsewhere":
        if wanted.to_community is not None:
            raise Invalid(why=_("只有因为在别的社区，才转给别的社区"))
        return None
    if row.kind not in MOVES:
        raise Invalid(why=_("点单、心愿和认领的议题不能转给别的社区"))
    if wanted.to_community is None:
        raise Invalid(why=_("请选在哪个社区"))
    there = {one.id: one for one in await communities_to_move_to(scope)}
    if wanted.to_community not in there:
        raise MattersNotUsedThere
    return there[wanted.to_community]


async def send_there(scope: Scope, row: MatterRow, there: Elsewhere, step: UUID) -> None:
    """Leave the matter for the worker to open there, in the transaction that refuses it here by this step."""
    await put(scope, LEAVES, f"matter:{row.id}:{step}", {"matter": str(row.id)}, to=there.id)


FORWARDED = {"matter_done": "done", "matter_refused": "refused"}
"""What the reporter hears in the community of the first receipt, who has no record here."""


async def pass_on(scope: Scope, row: MatterRow, kind: str, event: UUID | str) -> None:
    """Leave the news of a matter that came from elsewhere for its reporter, where it was received first."""
    if row.first_from is None or row.reporter_id is not None or kind not in FORWARDED:
        return
    news = {"matter": str(row.first_id), "number": row.number, "news": FORWARDED[kind]}
    await put(scope, NEWS, f"matter:{row.id}:{event}", news, to=row.first_from)
