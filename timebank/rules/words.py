"""What an earning rule gives, in words."""

from timebank.core.locale import _, put_together, translate
from timebank.rules.schemas import RuleOut
from timebank.rules.triggers import TRIGGERS

PERIODS = {"day": _("每天"), "week": _("每周"), "month": _("每月"), "year": _("每年")}
EACH_PERSON, EACH_PLACE = _("每人"), _("每楼或单元")


def rule_in_words(rule: RuleOut, language: str = "zh") -> str:
    """What the rule gives, in words: 6 分钟 = 1 分; 每件 10 分，每人每周最多 3 次."""
    if rule.kind == "service":
        return put_together(_("{minutes} 分钟 = 1 分"), {"minutes": rule.minutes_per_point}, language)
    earned = {"unit": rule.unit or _("每次"), "points": rule.points}
    parts = [put_together(_("{unit} {points} 分"), earned, language)]
    if rule.cap_period:
        caps = ((EACH_PERSON, rule.cap_per_person), (EACH_PLACE, rule.cap_per_area))
        limit = {"period": PERIODS[rule.cap_period]}
        parts += [
            put_together(_("{whose}{period}最多 {most} 次"), limit | {"whose": whose, "most": most}, language)
            for whose, most in caps
            if most
        ]
    if rule.trigger is not None:
        parts.append(put_together(_("{trigger}自动登记"), {"trigger": TRIGGERS[rule.trigger]}, language))
    if rule.notice_days is not None:
        parts.append(put_together(_("公示 {days} 天"), {"days": rule.notice_days}, language))
    return translate(_("，"), language).join(parts)
