"""Grace: points that come back after their last day stay usable for some days; this module puts that into words."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.locale import _, translate
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, dated, duration, phrase, points
from timebank.ledger.posting import Returned
from timebank.ledger.statement import PointBalance
from timebank.policies.values import policies

BACK = _("{amount}已退回")
BACK_GRACED = _("{amount}已退回，其中 {graced} 原来的有效期已过，宽限到 {day}，请在那天结束前使用")
ALL_GRACED = _("{amount}已退回：原来的有效期已过，宽限到 {day}，请在那天结束前使用")
REPAID = _("{amount}补还了欠账")
GONE = _("{amount}的有效期和宽限期都已过，到期作废，不能再用")


def back_in_words(back: Returned, language: str = "zh", unit: Callable[[int, str], str] = points) -> str:
    """What came back, in words without a full stop: the usable amount, until when, what repaid a debt, what lapsed."""
    graced = {"graced": unit(back.graced, language), "day": dated(back.until, language) if back.until else ""}
    sentence = BACK if not back.graced else ALL_GRACED if back.graced == back.usable else BACK_GRACED
    said = [
        translate(words, language).format(amount=unit(amount, language), **graced)
        for words, amount in ((sentence, back.usable), (REPAID, back.repaid), (GONE, back.expired))
        if amount
    ]
    return translate(_("；"), language).join(said)


Unit = Literal["points", "minutes"]


def came_back(back: Returned, unit: Unit = "points") -> Phrase:
    """What came back, as a part of a message."""
    return phrase("came_back", unit=unit, **msgspec.structs.asdict(back))


def came_back_in_words(values: Mapping[str, Any], language: str) -> str:
    """The part `came_back` of a message, in the reader's language."""
    back = msgspec.convert({name: value for name, value in values.items() if name != "unit"}, Returned)
    return back_in_words(back, language, duration if values["unit"] == "minutes" else points)


class FirstOut(msgspec.Struct, frozen=True):
    """The points that a reservation would spend first: `on` is their last day.

    If they come back after it, they are usable until `until`; None: not at all, because they are in grace already.
    """

    on: date
    until: date | None


async def first_out(scope: Scope, has: PointBalance, days: int) -> FirstOut | None:
    """The points that are spent first, if their last day is before the end of a reservation of `days`; else None."""
    first = has.expiring[0] if has.expiring else None
    if first is None or first.on >= clock.local_day() + timedelta(days=days):
        return None
    if first.grace_of is not None:
        return FirstOut(first.on, None)
    return FirstOut(first.on, first.on + timedelta(days=(await policies(scope)).grace_days))


class _Part(msgspec.Struct, frozen=True):
    expires_on: date | None
    grace_of: date | None
    amount: int
    grace_days: int | None  # the days of which the page spoke before the hold


async def preview_void(scope: Scope, hold_entry: UUID) -> Returned:
    """What would come back if the hold were voided today, without regard to open debts."""
    async with transaction(scope):
        parts = await database.rows(
            _Part,
            "SELECT a.expires_on, a.grace_of, h.amount, h.grace_days FROM transfer h JOIN account a "
            "ON a.community_id = h.community_id AND a.id = h.debit_account "
            "WHERE h.community_id = $1 AND h.entry_id = $2 AND h.kind = 'hold'",
            scope.community_id, hold_entry,
        )  # fmt: skip
        grace_days = (await policies(scope)).grace_days
    return _returning(parts, clock.local_day(), grace_days)


def _returning(parts: list[_Part], today: date, grace_days: int) -> Returned:
    usable = graced = expired = 0
    until: date | None = None
    for part in parts:
        is_over = part.expires_on is not None and part.expires_on < today
        grace = timedelta(days=max(part.grace_days or 0, grace_days))
        last_day = part.expires_on + grace if part.expires_on and is_over and not part.grace_of else part.expires_on
        if last_day is not None and last_day < today:
            expired += part.amount
            continue
        usable += part.amount
        if last_day is not None and (is_over or part.grace_of):
            graced, until = graced + part.amount, min(until or last_day, last_day)
    return Returned(usable, 0, expired, graced, until)
