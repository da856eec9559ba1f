"""Points for deeds: credited after the public notice period without an open objection; reversed after an error."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import dated
from timebank.deeds.parties import require_no_party
from timebank.deeds.reading import find_deed, lock_deed
from timebank.deeds.schemas import Deed, DeedOut
from timebank.deeds.tables import Deed as DeedTable
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.refusals import AccountClosed
from timebank.people.locks import lock_people
from timebank.people.messages import notify
from timebank.policies.values import points_expire_on, policies

MEMO_MAX = 200
BATCH = 100


class NotCredited(TimebankError):
    code = "deed_not_credited"
    status = 409
    sentence = "这件善行还没有记分，或已经冲正，不用再冲正。"


async def credit_due_deeds(scope: Scope) -> int:
    """Credit deeds whose public notice period is over, without an open objection or a missing witness; return how many.

    A person's deeds that fall due on one day are credited together with the last of them, with one notification. Each
    person has a transaction of their own. It is safe to run twice and in two processes, because each takes the person's
    row lock. Deeds of people who are blocked or have left wait until these are active again.
    """
    credited, after = 0, UUID(int=0)
    while due := await _due(scope, after):
        for person_id in due:
            credited += await _credit_person(scope, person_id)
        after = due[-1]
    return credited


async def _due(scope: Scope, after: UUID) -> list[UUID]:
    """The next people, by id after `after`, who have due deeds and none that falls due later today."""
    now = clock.now()
    async with transaction(scope):
        due = await database.fetch(
            "SELECT DISTINCT d.person_id FROM deed d "
            "JOIN person p ON p.community_id = d.community_id AND p.id = d.person_id AND p.status = 'active' "
            "WHERE d.community_id = $1 AND d.person_id > $2 AND d.status = 'noticed' AND d.notice_until <= $3 "
            "AND NOT EXISTS (SELECT FROM deed later WHERE later.community_id = $1 AND later.person_id = d.person_id "
            "AND later.status = 'noticed' AND later.notice_until > $3 AND later.notice_until < $4) "
            "ORDER BY d.person_id LIMIT $5",
            scope.community_id, after, now, clock.day_bounds(clock.local_day(now))[1], BATCH,
        )  # fmt: skip
    return [UUID(bytes=row["person_id"].bytes) for row in due]


@retried
async def _credit_person(scope: Scope, person_id: UUID) -> int:
    try:
        async with transaction(scope):
            await lock_people(scope, [person_id])
            due = await database.fetch(
                "SELECT id FROM deed WHERE community_id = $1 AND person_id = $2 AND status = 'noticed' "
                "AND notice_until <= $3 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
                scope.community_id, person_id, clock.now(),
            )  # fmt: skip
            deeds = [await lock_deed(scope, UUID(bytes=row["id"].bytes)) for row in due]
            deeds = [deed for deed in deeds if not (deed.open_objections or deed.witness_owes)]
            ends = [await _issue(scope, deed, f"deed:{deed.id}:credit") for deed in deeds]
            if deeds:
                await _notify_credited(scope, deeds, ends[0], f"deed:{deeds[0].id}:credit")
    except AccountClosed:  # closed since the list was read: all deeds of the person wait until it is open again
        return 0
    return len(deeds)


async def issue_deed_points(scope: Scope, deed: Deed, *, key: str) -> None:
    """Issue a deed's points and notify the person. The caller holds the deed's row lock."""
    await _notify_credited(scope, [deed], await _issue(scope, deed, key), key)


async def _issue(scope: Scope, deed: Deed, key: str) -> date:
    """Issue a deed's points; return the last day on which they can be used."""
    now = clock.now()
    expires_on = points_expire_on(await policies(scope), now)
    posted = await posting.issue(
        scope, deed.person_id, Currency.point, deed.points,
        Posting(
            kind="deed", key=key, source_kind="deed", source_id=deed.id, memo=await _memo(scope, deed),
            occurred_at=clock.at_local(deed.occurred_on, time(12)),
            rule_code=deed.rule_code, rule_version=deed.rule_version,
        ),
        expires_on=expires_on,
    )  # fmt: skip
    await DeedTable.update({DeedTable.status: "credited", DeedTable.entry_id: posted.entry_id}).where(
        (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
    )
    await audit.record(scope, "credit_deed", "deed", deed.id, points=deed.points, entry_id=posted.entry_id)
    return expires_on


async def _notify_credited(scope: Scope, deeds: Sequence[Deed], expires_on: date, key: str) -> None:
    what = f"「{deeds[0].rule}」" if len(deeds) == 1 else f"您的 {len(deeds)} 件善行"
    points = sum(deed.points for deed in deeds)
    text = f"{what}公示期满，已记 {points} 分，有效到 {dated(expires_on)}。"
    await notify(scope, deeds[0].person_id, "deed_credited", text, key, deeds[0].id)


async def _memo(scope: Scope, deed: Deed) -> str:
    """The memo of the posting: place, day, rule with version, and points with the reason where not the catalogue's."""
    unit = await database.fetch_value(
        "SELECT unit FROM rule WHERE community_id = $1 AND code = $2 AND version = $3",
        scope.community_id, deed.rule_code, deed.rule_version,
    )  # fmt: skip
    amount = (
        f"核定 {deed.points} 分：{deed.points_reason}" if deed.points_reason else f"{unit or '每次'} {deed.points} 分"
    )
    memo = f"{deed.area} · {deed.occurred_on:%Y-%m-%d} · {deed.rule} v{deed.rule_version}，{amount}"
    return memo if len(memo) <= MEMO_MAX else memo[: MEMO_MAX - 1] + "…"


@retried
async def reverse_deed(scope: Scope, deed_id: UUID, reason: str) -> DeedOut:
    """Reverse the credit of a deed because of an error or a fraud; the person is notified why and may object.

    Points already spent become a debt that later earnings repay. Raises NotCredited, PartyToDeed.
    """
    scope.require_admin()
    await find_deed(scope, deed_id)
    async with transaction(scope):
        deed = await lock_deed(scope, deed_id)
        await require_no_party(scope, deed)
        if deed.status != "credited" or deed.entry_id is None:
            raise NotCredited
        memo = f"冲正：{deed.rule}。{reason}"[:MEMO_MAX]
        note = Posting(
            kind="reversal",
            key=f"deed:{deed.id}:reversal:{deed.entry_id}",
            source_kind="deed",
            source_id=deed.id,
            memo=memo,
        )
        back = await posting.reverse(scope, deed.entry_id, note)
        await DeedTable.update({DeedTable.status: "reversed", DeedTable.review_note: reason}).where(
            (DeedTable.community_id == scope.community_id) & (DeedTable.id == deed.id)
        )
        await audit.record(
            scope, "reverse_deed", "deed", deed.id, reason=reason, taken=back.taken, owed=back.owed,
            lapsed=back.lapsed,
        )  # fmt: skip
        owed = f"其中 {back.owed} 分已经花掉，记作欠账，由以后所得补还。" if back.owed else ""
        owed += f"其中 {back.lapsed} 分早已到期，不再另扣。" if back.lapsed else ""
        text = (
            f"「{deed.rule}」（{dated(deed.occurred_on)}）的 {deed.points} 分已冲正。原因：{reason[:300]} {owed}"
            "如不同意，请在「善行」里点开这件事提出异议。"
        )
        await notify(scope, deed.person_id, "deed_reversed", text, note.key, deed.id)
        return DeedOut.of(await lock_deed(scope, deed_id))
