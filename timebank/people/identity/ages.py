"""Ages that the law gives a meaning: 14 and 18."""

from datetime import date

from timebank.core import clock

GUARDED_UNDER = 14
"""Under this age a guardian acts for the child, with recorded consent (个人信息保护法 31); the child has no login."""

ADULT_FROM = 18


def age_on(born_on: date, day: date) -> int:
    """Age in whole years on a day."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def is_guarded(born_on: date | None) -> bool:
    """Whether a guardian must act for this person today. A person without a birth date counts as an adult."""
    return born_on is not None and age_on(born_on, clock.local_day()) < GUARDED_UNDER


def is_minor(born_on: date | None) -> bool:
    """Whether this person may have a guardian today: under 18, or without a birth date."""
    return born_on is None or age_on(born_on, clock.local_day()) < ADULT_FROM
