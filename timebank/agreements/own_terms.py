"""Terms set by one person alone: that person's own household cannot use them until a second person has seen them."""

from uuid import UUID

import msgspec

from timebank.agreements.deciders import Bench, Party, who_in_words
from timebank.agreements.independence import is_family
from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import COMMUNITY_DEPTH
from timebank.core import database
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope


class OwnTerms(TimebankError):
    code = "own_terms"
    status = 403
    sentence = (
        "“{what}”的价钱或限量是您或您的家人定的，还没有别人看过。请让{who}在管理页面的「待另一人确认」里看过，再来换。"
    )


class _Set(msgspec.Struct, frozen=True):
    by: UUID | None
    by_login: UUID | None
    earlier: list[UUID]


async def require_seen_terms(scope: Scope, kind: Kind, subject: UUID, person_id: UUID, what: str) -> None:
    """Raise OwnTerms if the person, or a household member, has set these terms and no second person has seen them.

    It must run inside the verb's transaction. `kind` must be `in_force`.
    """
    found = await database.row(
        _Set,
        "SELECT proposed_by AS by, proposed_by_login AS by_login, involved AS earlier FROM waiting_change "
        "WHERE community_id = $1 AND kind = $2 AND subject = $3 AND status = 'waiting'",
        scope.community_id, kind.name, str(subject),
    )  # fmt: skip
    if found is None or found.by is None:
        return
    about = Party(
        needs=kind.needs,
        depth=COMMUNITY_DEPTH,
        proposed_by=found.by,
        proposed_by_login=found.by_login,
        people=found.earlier,
    )
    bench = await Bench.of(
        scope,
        [
            about,
            Party(needs=kind.needs, depth=COMMUNITY_DEPTH, proposed_by=person_id, proposed_by_login=None, people=[]),
        ],
    )
    if any(is_family(bench.people[setter], bench.people[person_id]) for setter in (found.by, *found.earlier)):
        raise OwnTerms(what=what, who="、".join(who_in_words(bench.deciders(about))))
