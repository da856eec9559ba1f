"""Caps: how many deeds of one rule a person, and a building or unit, may have in a period."""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Question
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


class Taken(msgspec.Struct, frozen=True):
    """How many deeds the person and the area have in the period of the rule."""

    person: int
    area: int


PERIOD_NAMES = tuple(PERIODS)


def room_question(
    scope: Scope, code: str, last_moment: datetime, person_id: UUID, area_id: UUID, occurred_on: date
) -> Question:
    """The question for what is Taken in the period of the rule of the day, to be asked with others under the locks."""
    bounds = [period_of(occurred_on, name) for name in PERIOD_NAMES]
    return database.one(
        "SELECT count(*) FILTER (WHERE d.person_id = $2) AS person, count(*) FILTER (WHERE d.area_id = $3) AS area "
        "FROM (SELECT cap_period FROM rule WHERE community_id = $1 AND code = $4 AND valid_from <= $5 "
        "ORDER BY valid_from <= $6 DESC, version DESC LIMIT 1) AS r "
        "JOIN unnest($7::text[], $8::text[]::date[], $9::text[]::date[]) AS p (name, first, last) "
        "ON p.name = r.cap_period "
        "JOIN deed d ON d.community_id = $1 AND (d.person_id = $2 OR d.area_id = $3) AND d.rule_code = $4 "
        "AND d.occurred_on BETWEEN p.first AND p.last AND d.status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, person_id, area_id, code, clock.now(), last_moment, list(PERIOD_NAMES),
        [first.isoformat() for first, _last in bounds], [last.isoformat() for _first, last in bounds],
    )  # fmt: skip


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
