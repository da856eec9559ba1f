"""A pattern in words: its days of the week, times, and the days without shifts."""

from timebank.activities.patterns.schemas import PatternOut
from timebank.core.locale import _, translate
from timebank.core.wording import dated

WEEKDAYS = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
WORKING_WEEK = [1, 2, 3, 4, 5]


def weekday_in_words(weekday: int, language: str = "zh") -> str:
    return translate(WEEKDAYS[weekday - 1], language)


def times_in_words(pattern: PatternOut, language: str = "zh") -> str:
    """Such as 周一到周五 16:20–16:50."""
    if pattern.weekdays == WORKING_WEEK:
        days = translate(_("周一到周五"), language)
    elif len(pattern.weekdays) == len(WEEKDAYS):
        days = translate(_("每天"), language)
    else:
        comma = ", " if language == "en" else "、"
        days = comma.join(weekday_in_words(day, language) for day in pattern.weekdays)
    return f"{days} {pattern.starts_at}–{pattern.ends_at}"


def days_in_words(pattern: PatternOut, language: str = "zh") -> list[str]:
    """On which days it does not come, and until when: one sentence each."""
    told = []
    if pattern.days == "workdays":
        made_up = pattern.runs != pattern.weekdays
        sentence = _("放假不排，调休上班的周末也排") if made_up else _("放假不排")
        told.append(translate(sentence, language))
    else:
        told.append(translate(_("放假也排"), language))
    if pattern.ends_on is not None:
        told.append(translate(_("到 {day} 为止"), language).format(day=dated(pattern.ends_on, language)))
    for each in pattern.breaks:
        span = f"{dated(each.starts_on, language)}–{dated(each.ends_on, language)}"
        told.append(translate(_("停班 {span}"), language).format(span=span))
    return told
