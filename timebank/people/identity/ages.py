"""Ages that the law draws a line at."""

from datetime import date

from timebank.core import clock

GUARDED_UNDER = 14
"""Under this age a guardian acts for the child, with recorded consent (个人信息保护法 31); the child has no login."""

ADULT_FROM = 18


def age_on(born_on: date, day: date) -> int:
    """Whole years lived by a day."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def is_guarded(born_on: date | None) -> bool:
    """Whether a guardian must act for this person today. Somebody of unknown age is taken for grown up."""
    return born_on is not None and age_on(born_on, clock.local_day()) < GUARDED_UNDER


def is_minor(born_on: date | None) -> bool:
    """Whether this person may have a guardian today; so may somebody of unknown age."""
    return born_on is None or age_on(born_on, clock.local_day()) < ADULT_FROM
