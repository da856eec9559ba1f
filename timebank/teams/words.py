"""The words for kinds of teams and skills, and for parts of the day."""

from timebank.core.locale import _

TEAM_WORDS = {
    "escort": _("护学"), "errands": _("跑腿代办"), "traffic": _("文明交通"), "tutoring": _("辅导"),
    "mediation": _("调解"), "policy": _("政策宣讲"), "patrol": _("巡逻"), "repair": _("维修"), "care": _("照料"),
    "cleaning": _("保洁"),
    "other": _("其他"),
}  # fmt: skip
SKILL_WORDS = {
    "repair": _("维修"), "care": _("照料"), "teaching": _("教学"), "errands": _("跑腿代办"), "health": _("健康"),
    "law": _("法律"), "craft": _("手艺"), "other": _("其他"),
}  # fmt: skip
PART_WORDS = {"morning": _("上午"), "afternoon": _("下午"), "evening": _("晚上")}
WEEKDAY_WORDS = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
