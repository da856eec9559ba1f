"""Caps: how many deeds of one rule a person, and a building or unit, may have in a period."""

from datetime import date, timedelta
from uuid import UUID

from timebank.core import database
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.rules.schemas import RuleOut
from timebank.rules.words import EACH_PERSON, EACH_PLACE, PERIODS


class CapReached(TimebankError):
    code = "deed_cap_reached"
    status = 422
    sentence = "「{rule}」{whose}{period}最多记 {most} 次，{first} 至 {last} 已经记满。"


def period_of(day: date, period: str) -> tuple[date, date]:
    """The first and the last day of the day, ISO week, calendar month or year in which `day` lies."""
    if period == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    if period == "month":
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if period == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    return day, day


async def require_room(scope: Scope, rule: RuleOut, person_id: UUID, area_id: UUID, occurred_on: date) -> None:
    """Raise CapReached where the person or the area already has as many deeds in the period as the rule allows.

    The caller holds the row locks of the person and the area, so that two filings cannot both take the last place.
    Deeds under review count; rejected, reversed and withdrawn ones do not.
    """
    if rule.cap_period is None:
        return
    first, last = period_of(occurred_on, rule.cap_period)
    found = await database.fetch_one(
        "SELECT count(*) FILTER (WHERE person_id = $2) AS person, count(*) FILTER (WHERE area_id = $3) AS area "
        "FROM deed WHERE community_id = $1 AND (person_id = $2 OR area_id = $3) AND rule_code = $4 "
        "AND occurred_on BETWEEN $5 AND $6 AND status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, person_id, area_id, rule.code, first, last,
    )  # fmt: skip
    assert found is not None
    require_room_among(rule, occurred_on, found["person"], found["area"])


def require_room_among(rule: RuleOut, occurred_on: date, of_person: int, of_place: int) -> None:
    """Raise CapReached where the person's or the area's number of deeds in the period reaches the cap of the rule."""
    assert rule.cap_period is not None
    first, last = period_of(occurred_on, rule.cap_period)
    for whose, taken, most in (
        (EACH_PERSON, of_person, rule.cap_per_person),
        (EACH_PLACE, of_place, rule.cap_per_area),
    ):
        if most is not None and taken >= most:
            raise CapReached(
                rule=rule.name, whose=whose, period=PERIODS[rule.cap_period], most=most, first=first, last=last
            )
