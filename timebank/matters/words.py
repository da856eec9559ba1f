"""The words of matters: kinds, statuses, levels, reasons and steps."""

from timebank.core.locale import _

KINDS = {
    "report": _("反映"), "event": _("网格事件"), "order": _("点单"), "wish": _("微心愿"), "pledge": _("认领的议题"),
}  # fmt: skip
STATUSES = {
    "received": _("已收到"), "dispatched": _("已派出"), "accepted": _("处理中"), "done": _("办好了，待确认"),
    "closed": _("已办结"), "refused": _("不办理"), "merged": _("已并入另一件"), "withdrawn": _("已撤回"),
}  # fmt: skip
AT_STATION = _("到驿站了，等人来领")
"""The status of a wish whose gift waits to be collected."""
LEVEL_WORDS = {"grid": _("网格"), "community": _("社区"), "street": _("街道"), "county": _("县级")}
BECAUSE = {
    "not_ours": _("不归这里管"), "cannot": _("情况属实，但目前办不了"), "untrue": _("核实后不属实"),
    "spam": _("不是要办的事"), "elsewhere": _("在别的社区"), "mediation": _("要由调解来办"),
}  # fmt: skip
VERBS = {
    "open": _("收到"), "import": _("从旧台账录入"), "import_end": _("后来的台账写着已经了结"),
    "dispatch": _("派单"), "hand_up": _("上报上一级"), "hand_down": _("交下一级"),
    "take": _("接单"), "give_up": _("放弃"), "return": _("退回"), "ask": _("提问"), "answer": _("回答"),
    "postpone": _("延期"), "finish": _("办结"), "confirm": _("核实"), "rate": _("评价"), "reopen": _("重办"),
    "refuse": _("不办理"), "merge": _("并入另一件"), "withdraw": _("撤回"), "publish": _("公开"),
    "receive": _("驿站收下"), "collect": _("物品领走了"), "unreceive": _("撤销收下"), "uncollect": _("撤销领走"),
    "renew": _("续期"), "give_back": _("没有人来领，物品还给了送来的人"), "correct_area": _("改正地点"),
    "move": _("转到别的社区"), "come_back": _("从别的社区转回来"),
    "close": _("无人回应，自动结束"), "urge": _("催办"), "go_back": _("无人接单，退回"),
}  # fmt: skip
"""Verbs of the steps, as a timeline shows them."""
BY = {
    "resident": _("居民"), "keeper": _("站长"), "worker": _("社区工作人员"), "dispatcher": _("派单人"),
    "handler": _("承办人"), "system": _("系统"),
}  # fmt: skip
CHANNELS = {
    "member": _("居民自己提交"), "desk": _("在驿站说的"), "worker": _("工作人员发现"), "round": _("巡查"),
    "call": _("走访"),
    "meeting": _("议事会"), "mediation": _("调解"), "import": _("导入"), "hotline": _("热线转来"),
}  # fmt: skip
VERIFIED = {"true": _("属实"), "untrue": _("不属实")}
ORIGINS = {"moved": _("从别的社区转来")}
