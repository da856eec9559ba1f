"""Ages that the law gives a meaning: 14 and 18. No other module compares a birth date with a day."""

from datetime import date

from timebank.core import clock

GUARDED_UNDER = 14
"""Under this age a guardian acts for the child, with recorded consent (个人信息保护法 31); the child has no login."""

ADULT_FROM = 18
AGE_MAX = 130


def age_on(born_on: date, day: date) -> int:
    """Age in whole years on a day."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def is_guarded(born_on: date | None, day: date | None = None) -> bool:
    """Whether a guardian must act for this person today, or on `day`. No birth date: the person counts as an adult."""
    return born_on is not None and age_on(born_on, day or clock.local_day()) < GUARDED_UNDER


def is_minor(born_on: date | None) -> bool:
    """Whether this person may have a guardian today: under 18, or without a birth date."""
    return born_on is None or age_on(born_on, clock.local_day()) < ADULT_FROM


def is_possible_birth(born_on: date, today: date) -> bool:
    """Whether somebody born on this day can be alive today."""
    return born_on <= today and age_on(born_on, today) <= AGE_MAX


def is_younger(age: int, born_on: str, today: str) -> str:
    """SQL condition for `age_on(born_on, today) < age`, of a column and a placeholder; null without a birth date."""
    return f"{born_on} > {today}::date - interval '{age} years'"
