"""The account of a resident: what it holds, what expires when, and its entries with their reasons."""

from uuid import UUID

from timebank.core.capability import Figure, Reading
from timebank.core.locale import _, translate
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.core.wording import dated, duration, points
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import StatementItem
from timebank.ledger.statement import Balances, Expiring, balances
from timebank.ledger.statement_words import worded_statement

SHOWN = 20


async def account_figures(scope: Scope, person_id: UUID, language: str) -> list[Figure]:
    """What can be spent and until when, what is set aside, what is owed, and the minutes that are no point yet."""
    has: Balances = await balances(scope, person_id, [])
    owed = Figure(
        place=30, word=_("欠账"), text=points(has.owed, language), kind="wrong" if has.owed else "", part="account"
    )
    return [
        Figure(
            place=10, word=_("可用积分"), text=points(has.points.available, language), kind="points", part="account",
            rows=[_expires(each, language) for each in has.points.expiring] + _lapsed(has, language),
        ),
        Figure(place=20, word=_("预留"), text=points(has.points.held, language), part="redemptions"),
        owed,
        Figure(place=40, word=_("时间账户"), text=duration(has.minutes, language), part="services"),
    ]  # fmt: skip


def _expires(each: Expiring, language: str) -> str:
    sentence = _("{amount} {day}到期（宽限）") if each.grace_of else _("{amount} {day}到期")
    return translate(sentence, language).format(amount=points(each.amount, language), day=dated(each.on, language))


def _lapsed(has: Balances, language: str) -> list[str]:
    if not has.points.lapsed:
        return []
    return [translate(_("{amount}已过期，今晚入账"), language).format(amount=points(has.points.lapsed, language))]


async def account_of(scope: Scope, person_id: UUID, reading: Reading) -> Page[StatementItem]:
    """The entries of a resident's points, newest first, each with its reason."""
    return await worded_statement(
        scope, person_id, Currency.point, reading.language, limit=SHOWN, cursor=reading.cursor
    )
