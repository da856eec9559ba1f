"""Points for deeds: credited after the public notice period without an open objection; reversed after an error."""

from collections.abc import Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.deeds.parties import require_no_party
from timebank.deeds.reading import find_deed, lock_deed
from timebank.deeds.schemas import Deed, DeedOut
from timebank.deeds.tables import Deed as DeedTable
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.people.locks import lock_people
from timebank.people.messages import notify
from timebank.policies.values import points_expire_on, policies
from timebank.rules.due_credits import DUE, credit_due


class NotCredited(TimebankError):
    code = "deed_not_credited"
    status = 409
    sentence = "这件善行还没有记分，或已经冲正，不用再冲正。"


async def credit_due_deeds(scope: Scope) -> int:
    """Credit deeds whose public notice period is over, without an open objection or a missing witness; return how many.

    See `credit_due`. The deeds of a person that are credited together have one notification.
    """
    return await credit_due(scope, "deed", _credit_person)


@retried
async def _credit_person(scope: Scope, person_id: UUID) -> int:
    async with transaction(scope):
        await lock_people(scope, [person_id])
        due = await database.fetch(
            f"SELECT id FROM deed r WHERE community_id = $1 AND person_id = $2 AND {DUE} "  # noqa: S608  # no input
            "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            scope.community_id, person_id, clock.now(),
        )  # fmt: skip
        deeds = [await lock_deed(scope, UUID(bytes=row["id"].bytes)) for row in due]
        deeds = [deed for deed in deeds if not (deed.open_objections or deed.witness_owes)]
        ends = [await _issue(scope, deed, f"deed:{deed.id}:credit") for deed in deeds]
        if deeds:
            await _notify_credited(scope, deeds, ends[0], f"deed:{deeds[0].id}:credit")
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
    await audit.record(
        scope, "credit_deed", "deed", deed.id, about_id=deed.person_id, points=deed.points, entry_id=posted.entry_id,
    )  # fmt: skip
    return expires_on


async def _notify_credited(scope: Scope, deeds: Sequence[Deed], expires_on: date, key: str) -> None:
    first, points = deeds[0], sum(deed.points for deed in deeds)
    earned: dict[str, Any] = {"points": points, "until": expires_on}
    if len(deeds) == 1:
        await notify(scope, first.person_id, "deed_credited", key, first.id, rule=first.rule, **earned)
    else:
        await notify(scope, first.person_id, "deed_credited.several", key, first.id, count=len(deeds), **earned)


async def _memo(scope: Scope, deed: Deed) -> Phrase:
    """The memo of the posting: place, day, rule with version, and points with the reason where not the catalogue's."""
    unit = await database.fetch_value(
        "SELECT unit FROM rule WHERE community_id = $1 AND code = $2 AND version = $3",
        scope.community_id, deed.rule_code, deed.rule_version,
    )  # fmt: skip
    if deed.points_reason:
        return phrase(
            "entry.deed_at_other_points", area=deed.area, day=deed.occurred_on, rule=deed.rule,
            points=deed.points, reason=deed.points_reason,
        )  # fmt: skip
    return phrase(
        "entry.deed", area=deed.area, day=deed.occurred_on, rule=deed.rule,
        points=deed.points, unit=unit or _("每次"),
    )  # fmt: skip


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
        if deed.status != "credited":
            raise NotCredited
        await take_back(scope, deed, reason)
        return DeedOut.of(await lock_deed(scope, deed_id))


async def take_back(scope: Scope, deed: Deed, reason: str) -> None:
    """Reverse the points of a credited deed and notify its person. The caller holds the deed's row lock."""
    assert deed.entry_id is not None
    memo = phrase("entry.deed_reversed", rule=deed.rule, reason=reason)
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
        scope, "reverse_deed", "deed", deed.id, reason=reason, about_id=deed.person_id, taken=back.taken,
        owed=back.owed, lapsed=back.lapsed,
    )  # fmt: skip
    more = [phrase("deed_owed", points=back.owed)] if back.owed else []
    more += [phrase("deed_lapsed", points=back.lapsed)] if back.lapsed else []
    await notify(
        scope, deed.person_id, "deed_reversed", note.key, deed.id,
        rule=deed.rule, day=deed.occurred_on, points=deed.points, reason=reason, more=more,
    )  # fmt: skip
