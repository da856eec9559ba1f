"""Acting for a resident: who may reserve or book for somebody else, and what proves later that the person came."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from timebank.agreements.independence import (
    NearFacts,
    NotIndependent,
    Side,
    is_independent,
    near_by,
    near_question,
    side_of,
    sides_of,
    sides_of_logins,
    signed_on,
)
from timebank.core import database
from timebank.core.database import Question
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.presence.at_counter import ProvingScan


class OwnCodeNeeded(TimebankError):
    code = "own_code_needed"
    status = 422
    sentence = (
        "这是工作人员替居民办的，只凭居民本人的码或卡交付。请扫本人手机上的码或本人的卡，或输入本人手机上的 8 位数字。"
    )


class SameHand(TimebankError):
    code = "same_hand"
    status = 403
    sentence = "替居民办的人和当场交付的人不能是同一个人，办的人开通的账号、发的卡也不算。请另一位工作人员来办。"


class ActedFor(Protocol):
    """What staff may have done for a resident: by whom and by which login; the login is null where nobody did."""

    @property
    def acted_by(self) -> UUID | None: ...
    @property
    def acted_by_login(self) -> UUID | None: ...


def rests_question(scope: Scope, person_ids: Collection[UUID]) -> Question:
    """The question until when one of these people may spend nothing, to be asked with others."""
    return database.value(
        "SELECT max(until) FROM spending_rest WHERE community_id = $1 AND person_id = ANY ($2::text[]::uuid[]) "
        "AND ended_at IS NULL",
        scope.community_id, database.as_texts(list(person_ids)),
    )  # fmt: skip


def apart_question(scope: Scope, person_ids: Collection[UUID]) -> Question:
    """The question for `require_apart`, to be asked with others."""
    return near_question(signed_on(scope), person_ids)


def require_apart(scope: Scope, facts: NearFacts, person_ids: Collection[UUID]) -> None:
    """Refuse to act for oneself, the own household, a child in the own care, or an account that one has opened.

    Raises NotIndependent.
    """
    near = near_by(signed_on(scope), facts)
    if not (near.same | near.home).isdisjoint(person_ids):
        raise NotIndependent


async def require_other_hand(
    scope: Scope, done: ActedFor, person_ids: Collection[UUID], scan: ProvingScan | None
) -> None:
    """Refuse what staff reserved for a resident, unless it is handed over by another hand and to the person.

    `scan` is the scan that proves presence, None where a code was typed. It has to be of the person's own code or card.
    Neither the caller nor the account or unconfirmed card of the person may be of who reserved it. Does nothing for
    what the family reserved itself. Raises OwnCodeNeeded, SameHand.
    """
    if done.acted_by_login is None:
        return
    if scan is not None and scan.how == "station_code":
        raise OwnCodeNeeded
    issued = scan if scan is not None and scan.how == "card" and not scan.confirmed else None
    people = [*person_ids, done.acted_by, issued.issued_by if issued else None]
    logins = {login for login in (done.acted_by_login, issued.issued_by_login if issued else None) if login}
    sides, hands = await sides_of(scope, people), await sides_of_logins(scope, logins)

    def side(person_id: UUID | None, login_id: UUID | None) -> Side:
        own = sides[person_id] if person_id in sides else Side()
        return own | hands[login_id] if login_id in hands else own

    reserver = side(done.acted_by, done.acted_by_login)
    others = [await side_of(signed_on(scope)), *(side(person_id, None) for person_id in person_ids)]
    if issued is not None:
        others.append(side(issued.issued_by, issued.issued_by_login))
    if not all(is_independent(reserver, other) for other in others):
        raise SameHand


def require_nothing_for(done: ActedFor) -> None:
    """Refuse a way of handing over for which the person need not be there. Raises OwnCodeNeeded."""
    if done.acted_by_login is not None:
        raise OwnCodeNeeded
