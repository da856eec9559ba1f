"""The words for kinds of units, and for what a unit is to a community."""

from timebank.core.locale import _

UNIT_WORDS = {
    "department": _("部门"), "utility": _("水电气和通信"), "institution": _("医院和事业单位"), "firm": _("企业"),
    "school": _("学校"), "property": _("物业"), "group": _("社会组织"),
}  # fmt: skip
LINK_WORDS = {
    "handler": _("办理事项"), "co_builder": _("共建单位"), "stationed": _("驻区单位"), "sponsor": _("捐助单位"),
}  # fmt: skip
