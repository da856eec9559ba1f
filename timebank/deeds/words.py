"""The statuses of a deed as words, each with the tone in which a page shows it."""

from timebank.core.locale import _

STATUS: dict[str, tuple[str, str]] = {
    "filed": (_("待审核"), "wait"),
    "noticed": (_("公示中"), "jade"),
    "objected": (_("有异议"), "wait"),
    "credited": (_("已记分"), "good"),
    "rejected": (_("未通过"), "wrong"),
    "reversed": (_("已冲正"), "still"),
    "withdrawn": (_("已撤回"), "still"),
}

# Why a confirmed row brought no deed or no hours, or one that waits for a review.
WHY: dict[str, str] = {
    "no_rule": _("没有规则自动登记这件事"),
    "gone": _("不是在册的居民，或那个地方不在了"),
    "guarded": _("孩子还没有监护人同意"),
    "twice": _("同一件事登记过了"),
    "paid": _("那天担任带薪的职务"),
    "capped": _("次数已到上限"),
    "family": _("确认的人是本人、家人或开通账号的人，等别人审核"),
    "many_points": _("那天的分数多，等别人审核"),
}
