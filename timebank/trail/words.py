"""Words for the verbs and values of audit lines."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from timebank.access.devices.further_devices import KIND_WORDS
from timebank.access.roles.words import ROLES
from timebank.activities.patterns.words import weekday_in_words
from timebank.core.capability import capabilities
from timebank.core.locale import _, translate
from timebank.core.wording import day, when
from timebank.deeds.words import WHY
from timebank.ledger.checking.check import CURRENCIES
from timebank.matters import words as matter_words
from timebank.outbox.delivering import declared_deliveries
from timebank.overview.change_kinds import kinds
from timebank.policies.values import KNOWN
from timebank.presence.words import FLAGS
from timebank.rules.triggers import TRIGGERS


def verbs() -> dict[str, str]:
    """The words of every audited verb, by its name, as the capabilities declare them."""
    return {verb: word for one in capabilities() for verb, word in one.audit.items()}


def nouns() -> dict[str, str]:
    """What something can be done to, by its name in the audit."""
    return {noun: word for one in capabilities() for noun, word in one.nouns.items()}


# Words for the fields of a change. Fields that hold ids are left out: the page links to the subject instead.
LABELS: dict[str, str] = {
    "accepted": _("接受"), "active": _("启用"), "amount": _("数额"), "asked": _("等主人同意"),
    "before": _("原来"), "boxes": _("遮盖处"), "by": _("方式"), "cause": _("起因"), "change": _("增减"),
    "children": _("孩子人数"), "chosen": _("选了几件"), "cost_fen": _("成本"), "count": _("几个"),
    "confirms": _("属实"), "consented": _("已同意"), "counted": _("清点数"), "created": _("新增"),
    "mapped": _("对应的词"),
    "currency": _("币种"), "day": _("日期"), "decision": _("决定"), "ends_at": _("结束"), "ends_on": _("截止日期"),
    "failures": _("次数"), "findable": _("可以被找到"), "first": _("第一天"), "last": _("最后一天"),
    "leads": _("带队"), "level": _("级别"), "members": _("人数"), "needs_proof": _("要有证明"),
    "since": _("开始"), "until": _("到"), "origin": _("来历"),
    "urged": _("第几次催办"), "weekday": _("星期"), "channel": _("怎么来的"),
    "fields": _("改了"), "flags": _("标记"), "found": _("找到"), "given": _("份数"), "grants": _("身份数"),
    "kind": _("种类"), "lapsed": _("早已到期"), "list": _("名单"), "minutes": _("分钟"),
    "minutes_per_point": _("几分钟 1 分"), "monthly_limit": _("每月限量"),
    "move": _("收货原因"), "name": _("名称"), "named": _("提名"),
    "note": _("备注"), "notice_days": _("公示天数"), "of": _("什么"), "offline": _("离线"), "owed": _("欠账"),
    "paid": _("带薪"), "people": _("人数"),
    "points": _("积分"), "points_per_hour": _("每课时积分"),
    "proof": _("凭什么"), "quantity": _("数量"), "returns": _("退回了几次"), "role": _("身份"),
    "rows": _("行数"), "rule": _("规则"), "rule_code": _("规则"), "searched": _("按词找的"),
    "seats": _("名额"), "sent_by": _("由别人补传"),
    "sign_ins": _("退出了几台设备"), "skipped": _("跳过"), "stage": _("阶段"),
    "starts_at": _("开始"), "starts_on": _("开始日期"), "status": _("状态"), "subject": _("事由"), "taken": _("收回"),
    "title": _("名称"), "trigger": _("自动登记"), "upheld": _("成立"), "value": _("新值"), "was": _("原来"),
    "why": _("没有直接记的原因"), "withdrawn": _("撤回"), "works": _("上班"),
}  # fmt: skip


STAGES = {"before": _("处理前"), "after": _("处理后"), "proof": _("证明"), "condition": _("物品状况")}
CAUSES = {"asked": _("家里要求"), "course_ended": _("课程结束"), "course_stopped": _("课程停开")}
BY_WORDS = {
    "station_code": _("扫了驿站的码"), "personal_code": _("出示了个人码"), "card": _("刷了卡"),
    "keeper": _("由站长办理"),
}  # fmt: skip
STATUSES = {
    "approved": _("已通过"), "pending": _("待审核"), "noticed": _("公示中"), "rejected": _("已退回"),
    "reversed": _("已冲正"), "withdrawn": _("已撤回"), "active": _("在册"), "blocked": _("已停用"), "left": _("已迁出"),
}  # fmt: skip
DECISIONS = {
    "approve": _("同意"), "agree": _("同意"), "reject": _("退回"), "refuse": _("不同意"), "withdraw": _("撤回"),
}  # fmt: skip
RECORDS = {"credit": _("两次扫码"), "honour": _("补录")}
ASKED = {"spend": _("没有带手机和卡，当场领取"), "own_collection": _("站长同户的预留")}
SHEETS = {
    "residents": _("花名册"), "hours": _("签到表"), "deeds": _("道德银行台账"), "goods": _("物品表"),
    "members": _("报到名册"), "matters": _("事项台账"),
}  # fmt: skip
MOVES = {"received": _("入库"), "import": _("导入")}
# A code of the program that has no word says nothing to a reader and is left out: of these fields, which hold no names.
CODED = frozenset({"kind", "flags", "subject", "cause", "move", "fields", "decision", "currency", "was", "before"})
_CODE = re.compile(r"[a-z][a-z0-9_.:-]*|[0-9a-f]{8}-[0-9a-f-]{27}.*")
_PLACEHOLDERS = re.compile(r"\{[^}]*\}( \{[^}]*\})*")
PROOFS = {"scan": _("扫了卡或个人码"), "name": _("核对了姓名和后四位"), "office": _("管理员决定")}


def verb_in_words(verb: str, language: str) -> str:
    """The words of a verb; an unknown verb, as of a newer version, unchanged."""
    return translate(verbs().get(verb, verb), language)


def change_in_words(verb: str, change: Mapping[str, object], language: str) -> str:
    """The fields of a change that have words, with their values, in one line."""
    said = [
        (key, _value(verb, key, value, language))
        for key, value in change.items()
        if key in LABELS and value is not None and value != []
    ]
    return " · ".join(f"{translate(LABELS[key], language)} {value}" for key, value in said if value)


def _value(verb: str, key: str, value: object, language: str) -> str:
    """A value in words; empty if it is a code that says nothing to a reader."""
    if isinstance(value, bool) or key == "sent_by":  # the login's id means nothing to a reader
        return translate(_("是") if value else _("否"), language)
    if verb == "set_good_cost" and isinstance(value, int):
        return f"¥{value / 100:,.2f}"
    if verb == "count_stock" and key == "change" and isinstance(value, int):
        return f"{value:+d}".replace("-", "−")
    if isinstance(value, list):
        told = [_value(verb, key, each, language) for each in value]
        return translate(_("、"), language).join(each for each in told if each)
    if key == "weekday" and isinstance(value, int):
        return weekday_in_words(value, language)
    if not isinstance(value, str):
        return str(value)
    word = _words(verb, key).get(value)
    if word is not None:
        return _PLACEHOLDERS.sub("…", translate(word, language))
    return "" if key in CODED and _CODE.fullmatch(value) else _moment(value, language)


def _words(verb: str, key: str) -> Mapping[str, str]:
    """The words of the values of a field, where they have any."""
    match verb, key:
        case ("change_policy", "name") | ("propose", "subject"):
            return {name: known.title for name, known in KNOWN.items()}
        case "give_up_delivery", "kind":
            return {kind: how.word for kind, how in declared_deliveries().items()} | KIND_WORDS
        case "propose" | "decide_change", "kind":
            return {kind.name: kind.sentence for kind in kinds().values()}
        case _, "fields":
            return _fields()
        case _, "status" if verb.endswith("_matter"):
            return matter_words.STATUSES
        case _, "list":
            return _lists()
    known: dict[str, Mapping[str, str]] = {
        "role": {role.value: word for role, word in ROLES.items()}, "proof": PROOFS,
        "kind": KIND_WORDS | RECORDS | ASKED | SHEETS | matter_words.KINDS, "decision": DECISIONS, "flags": FLAGS,
        "move": MOVES,
        "currency": CURRENCIES, "trigger": TRIGGERS, "why": WHY, "stage": STAGES, "cause": CAUSES, "of": nouns(),
        "by": BY_WORDS, "status": STATUSES, "channel": matter_words.CHANNELS,
        "found": matter_words.VERIFIED, "level": matter_words.LEVEL_WORDS, "origin": matter_words.ORIGINS,
    }  # fmt: skip
    return known.get(key, {})


def _fields() -> dict[str, str]:
    """The words of a registration's fields, as messages say them."""
    said = {name: word for one in capabilities() for name, word in one.sentences.items()}
    told = {name.removeprefix("field."): word for name, word in said.items() if name.startswith("field.")}
    return told | dict.fromkeys(("area_id", "room"), told.get("address", ""))


def _lists() -> dict[str, str]:
    return {name: word for one in capabilities() for name, word in one.child_lists.items()}


def _moment(text: str, language: str) -> str:
    """An ISO day or time in the reader's language; any other text unchanged."""
    try:
        if len(text) == len("2026-01-31"):
            return day(date.fromisoformat(text), language)
        return when(datetime.fromisoformat(text), language)
    except ValueError:
        return text
