"""The postings of class minutes: each is one database function call that posts points and minutes as one entry."""

from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.ledger.posting import Posting, call
from timebank.ledger.refusals import Insufficient
from timebank.policies.values import policies

SOURCE = "class_purchase"


class NotEnoughUnused(TimebankError):
    code = "not_enough_unused"
    sentence = "能退、能转的课时只有 {available} 分钟。约好的课先取消，课时退回来再办。"


class WorthTooLittle(TimebankError):
    code = "worth_too_little"
    sentence = "这几分钟折算不到 1 分，退不了也转不了。请多选几分钟，或留着约课。"


class MinutesOutlived(TimebankError):
    code = "minutes_outlived"
    sentence = (
        "付这些课时的积分已经过期。过了最后一天的课时不能再转；转过一次的，只能再转到不比现在这门课结课晚的课。"
        "现在能转的有 {available} 分钟，其余请在这门课结课前用完。"
    )


class Given(msgspec.Struct, frozen=True):
    """Minutes that were refunded as points in one entry."""

    entry_id: UUID
    minutes: int
    points: int


class Moved(msgspec.Struct, frozen=True):
    """Minutes that left one course, the points paid for them, and the minutes that arrived in the other course."""

    entry_id: UUID
    minutes: int
    points: int
    arrived: int


class RefundShare(msgspec.Struct, frozen=True):
    """A person's share of a refund. `until`: the latest last day of these points (None: no expiry).

    `repaid`: how many of them repaid a debt at once.
    """

    person_id: UUID
    points: int
    until: date | None
    repaid: int


async def buy(
    scope: Scope, purchase_id: UUID, guardian_id: UUID, child_id: UUID, course_id: UUID, minutes: int, points: int,
    why: Phrase,
) -> None:  # fmt: skip
    """Post the purchase of a child's minutes with a guardian's points. Raises Insufficient and AccountClosed."""
    note = Posting(
        kind="purchase", key=f"class_purchase:{purchase_id}", source_kind=SOURCE, source_id=purchase_id, memo=why
    )
    meaning: dict[str, object] = {
        "guardian": guardian_id,
        "child": child_id,
        "course": course_id,
        "minutes": minutes,
        "points": points,
    }
    answer = await call(
        scope, "class_buy", note, meaning, guardian_id, child_id, course_id, minutes, points, clock.local_day()
    )
    if answer["verdict"] == "insufficient":
        raise Insufficient(needed=points, available=answer["available"])
    await _keep_last_day(scope, answer["entry_id"])


async def _keep_last_day(scope: Scope, entry_id: UUID) -> None:
    """Store the last day of an entry's minutes, so that an earlier end of the course does not shorten it later."""
    await database.execute("SELECT class_keep_last_day($1, $2)", scope.community_id, entry_id)


async def post_refund(
    scope: Scope, child_id: UUID, course_id: UUID, minutes: int | None, why: Phrase, *, instead: UUID | None = None
) -> Given:
    """Post the refund of unused minutes, of all when `minutes` is None.

    `instead`: the guardian who gets the points of a payer who has left. Raises NotEnoughUnused, WorthTooLittle.
    """
    event = clock.new_id()
    note = Posting(kind="refund", key=f"class_refund:{event}", source_kind=SOURCE, source_id=event, memo=why)
    meaning: dict[str, object] = {"child": child_id, "course": course_id, "minutes": minutes, "instead": instead}
    answer = await call(
        scope, "class_refund", note, meaning, child_id, course_id, minutes, instead, clock.local_day(),
        (await policies(scope)).grace_days,
    )  # fmt: skip
    _refuse(answer)
    await database.execute(
        "SELECT ledger_announce_returned($1, $2, $3)", scope.community_id, answer["entry_id"], clock.local_day()
    )
    return Given(answer["entry_id"], answer["minutes"], answer["points"])


async def post_move(
    scope: Scope, child_id: UUID, course_id: UUID, to_course_id: UUID, minutes: int | None, why: Phrase
) -> Moved:
    """Post the move of unused minutes to another course at the price paid, of all when `minutes` is None.

    Raises NotEnoughUnused, MinutesOutlived, WorthTooLittle and AccountClosed.
    """
    event = clock.new_id()
    note = Posting(kind="move", key=f"class_move:{event}", source_kind=SOURCE, source_id=event, memo=why)
    meaning: dict[str, object] = {"child": child_id, "course": course_id, "to": to_course_id, "minutes": minutes}
    answer = await call(
        scope, "class_move", note, meaning, child_id, course_id, to_course_id, minutes, clock.local_day(),
        (await policies(scope)).grace_days,
    )  # fmt: skip
    _refuse(answer)
    await _keep_last_day(scope, answer["entry_id"])
    return Moved(answer["entry_id"], answer["minutes"], answer["points"], answer["arrived"])


async def post_expiry(scope: Scope, child_id: UUID, course_id: UUID, why: Phrase) -> int:
    """Post the expiry of minutes that cannot be refunded, and return how many expired."""
    event = clock.new_id()
    note = Posting(kind="expiry", key=f"class_expiry:{event}", source_kind=SOURCE, source_id=event, memo=why)
    meaning: dict[str, object] = {"child": child_id, "course": course_id}
    grace = (await policies(scope)).grace_days
    answer = await call(scope, "class_expire", note, meaning, child_id, course_id, clock.local_day(), grace)
    return int(answer["minutes"])


async def post_expiry_reversal(scope: Scope, entry_id: UUID, why: Phrase) -> int:
    """Reverse an expiry of minutes, and return how many. Raises AlreadyReversed, PastGrace and EntryNotFound."""
    note = Posting(
        kind="reversal", key=f"class_unexpiry:{clock.new_id()}", source_kind=SOURCE, source_id=entry_id, memo=why
    )
    grace = (await policies(scope)).grace_days
    answer = await call(scope, "class_unexpire", note, {"entry": entry_id}, entry_id, clock.local_day(), grace)
    return int(answer["minutes"])


def _refuse(answer: asyncpg.Record) -> None:
    if answer["verdict"] == "insufficient":
        raise NotEnoughUnused(available=answer["available"] or 0)
    if answer["verdict"] == "outlived":
        raise MinutesOutlived(available=answer["available"])
    if answer["verdict"] == "too_few":
        raise WorthTooLittle


async def who_got_back(scope: Scope, entry_id: UUID) -> list[RefundShare]:
    """Who got points back by a refund, and how many of them repaid an open debt at once."""
    async with transaction(scope):
        return await database.rows(
            RefundShare,
            "SELECT c.owner_id AS person_id, sum(t.amount)::bigint AS points, "
            "CASE WHEN bool_and(c.expires_on IS NOT NULL) THEN max(c.expires_on) END AS until, "
            "coalesce((SELECT sum(r.amount) FROM transfer r JOIN account o ON o.community_id = r.community_id "
            "  AND o.id = r.debit_account AND o.owner_id = c.owner_id WHERE r.community_id = $1 AND r.entry_id = $2 "
            "  AND r.kind = 'repayment' AND r.currency = 'point'), 0)::bigint AS repaid "
            "FROM transfer t JOIN account c ON c.community_id = t.community_id AND c.id = t.credit_account "
            "WHERE t.community_id = $1 AND t.entry_id = $2 AND t.kind = 'refund' AND t.currency = 'point' "
            "GROUP BY c.owner_id ORDER BY c.owner_id",
            scope.community_id, entry_id,
        )  # fmt: skip
