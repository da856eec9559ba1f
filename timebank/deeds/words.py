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
