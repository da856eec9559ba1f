"""What the audit keeps as a verb and values, in words for its reader."""

from collections.abc import Mapping
from datetime import date, datetime

from timebank.access.words import ROLES
from timebank.areas.policies import KNOWN
from timebank.locale import _, translate
from timebank.people.reads import LISTS
from timebank.scope import Role
from timebank.wording import day, when

VERBS: dict[str, str] = {
    "add_activity": _("新增了活动"),
    "add_area": _("新增了区域"),
    "add_course": _("新增了课程"),
    "add_good": _("新增了物品"),
    "add_lesson": _("新增了一节课"),
    "add_shift": _("新增了班次"),
    "add_station": _("新增了驿站"),
    "agree_membership": _("同意了并到自己的账号"),
    "agree_confirmation": _("同意了柜台的请求"),
    "answer_as_witness": _("作了证"),
    "approve_record": _("通过了服务时长"),
    "ask_witness": _("问了见证人"),
    "ask_confirmation": _("在柜台请人同意"),
    "ask_for_check": _("要求了核对账目"),
    "attend": _("登记了上课"),
    "book": _("约了课"),
    "buy_class_hours": _("购买了课时"),
    "cancel": _("取消了"),
    "cancel_shift": _("取消了班次"),
    "change_activity": _("修改了活动"),
    "change_course": _("修改了课程"),
    "change_good": _("修改了物品"),
    "change_lesson": _("修改了一节课"),
    "change_policy": _("修改了社区规则"),
    "change_station": _("修改了驿站"),
    "check_in": _("签到了"),
    "check_out": _("签退了"),
    "close": _("结束了约课"),
    "close_forgotten": _("收尾了忘记的签退"),
    "confirm_card": _("核对了服务卡"),
    "confirm_login": _("确认了账号是本人"),
    "collect": _("领取了兑换"),
    "correct_end": _("更正了签退时间"),
    "correct_person": _("更正了居民登记"),
    "count_stock": _("盘点了库存"),
    "credit_deed": _("给善行记了分"),
    "credit_record": _("给服务记了时长和积分"),
    "decide_change": _("决定了待确认的事"),
    "decline_membership": _("没有同意并到自己的账号"),
    "decide_objection": _("决定了异议"),
    "end_guardianship": _("解除了监护登记"),
    "end_role": _("取消了身份"),
    "enrol": _("登记了居民"),
    "enrol_many": _("批量登记了居民"),
    "ensure_logins": _("开通了登录"),
    "expire": _("让预留到期"),
    "expire_class_hours": _("让课时到期"),
    "fail_sign_in": _("多次输错密码或登录码"),
    "file_deed": _("登记了善行"),
    "found_region": _("设立了区域"),
    "give_one_time_code": _("发了登录码"),
    "grant_role": _("设定了身份"),
    "identify": _("在柜台扫码认了人"),
    "import": _("导入了表格"),
    "issue_card": _("发了卡"),
    "issue_missing_cards": _("批量发了卡"),
    "let_expire": _("确认了积分到期"),
    "look_up": _("在柜台查了人"),
    "merge_people": _("合并了同一个人的登记"),
    "move_class_hours": _("换了课"),
    "name_guardian": _("登记了监护人"),
    "nominate_guardians": _("批量提名了监护人"),
    "object": _("提出了异议"),
    "offer_activity_again": _("恢复了活动"),
    "open_person": _("查看了居民"),
    "pair_device": _("配对了设备"),
    "propose": _("提请另一人确认"),
    "read_code": _("查看了签到码"),
    "read_children": _("查看了含孩子的名单"),
    "receive": _("收了货"),
    "record_consent": _("登记了监护同意"),
    "record_service": _("记了服务时长"),
    "refuse_confirmation": _("没有同意柜台的请求"),
    "refund_class_hours": _("退了课时"),
    "register_device": _("登记了设备"),
    "renew_pairing": _("取了新的配对链接"),
    "reject_record": _("退回了服务时长"),
    "rename_area": _("给区域改了名"),
    "reserve": _("预留了物品"),
    "return_goods": _("收回了退货"),
    "reverse_class_expiry": _("撤回了课时到期"),
    "reverse_deed": _("冲正了善行"),
    "reverse_expiry": _("撤回了积分到期"),
    "reverse_record": _("冲正了服务时长"),
    "review_deed": _("审核了善行"),
    "revoke_card": _("挂失了卡"),
    "revoke_device": _("停用了设备"),
    "rotate_key": _("更换了签到码密钥"),
    "seat": _("排到了座位"),
    "set_password": _("设了新密码"),
    "set_photo": _("换了物品照片"),
    "forget_word": _("忘掉了一个表格里的词"),
    "map_words": _("定了表格里的词是什么"),
    "set_rule": _("设定了积分规则"),
    "set_status": _("停用或恢复了居民"),
    "sign_in": _("登录了"),
    "sign_off": _("从柜台下岗"),
    "sign_on": _("在柜台上岗"),
    "sign_out": _("退出了登录"),
    "sign_up": _("报名了班次"),
    "stop_course": _("停开了课程"),
    "stop_import": _("导入没有做完，停下了"),
    "undo_check_in": _("撤销了签到"),
    "undo_import": _("撤回了导入"),
    "undo_merge": _("撤回了登记的合并"),
    "withdraw": _("退出了班次"),
    "withdraw_activity": _("撤回了活动"),
    "withdraw_area": _("撤回了区域"),
    "withdraw_consent": _("撤回了监护同意"),
    "withdraw_deed": _("撤回了善行"),
    "withdraw_logins": _("撤回了登录"),
    "withdraw_many": _("批量撤回了居民"),
    "withdraw_nominations": _("撤回了监护提名"),
    "withdraw_record": _("撤回了服务时长"),
    "withdraw_roles": _("撤回了身份"),
}

NOUNS: dict[str, str] = {
    "activity": _("活动"), "account": _("账户"), "area": _("区域"), "book_check": _("账目"), "booking": _("约课"),
    "building": _("楼栋"), "card": _("服务卡"), "class_purchase": _("课时"), "community": _("社区"),
    "counter": _("柜台"), "counter_confirmation": _("柜台的请求"),
    "county": _("县"), "course": _("课程"), "deed": _("善行"), "demo": _("示范"), "device": _("设备"),
    "good": _("物品"), "grid": _("网格"), "guardianship": _("监护登记"), "import_run": _("导入"),
    "import_word": _("表格里的词"),
    "lesson": _("课"), "login": _("登录账号"), "objection": _("异议"), "person": _("居民"), "policy": _("社区规则"),
    "redemption": _("兑换"), "role_grant": _("身份"), "rule": _("积分规则"), "service_record": _("服务记录"),
    "shift": _("班次"), "station": _("驿站"), "street": _("街道"), "unit": _("单元"), "visit": _("到场"),
    "waiting_change": _("待确认的事"),
}  # fmt: skip

# What a value of the change is called. Ids say nothing to a reader; the subject is linked instead.
LABELS: dict[str, str] = {
    "accepted": _("接受"), "active": _("启用"), "amount": _("数额"), "asked": _("等主人同意"),
    "by": _("方式"), "change": _("增减"),
    "children": _("孩子人数"), "confirms": _("属实"),
    "consented": _("已同意"), "counted": _("清点数"), "created": _("新增"), "mapped": _("对应的词"),
    "currency": _("币种"), "day": _("日期"), "decision": _("决定"), "ends_at": _("结束"), "ends_on": _("截止日期"),
    "failures": _("次数"),
    "fields": _("改了"), "flags": _("标记"), "found": _("找到"), "given": _("份数"), "grants": _("身份数"),
    "kind": _("种类"), "lapsed": _("早已到期"), "list": _("名单"), "minutes": _("分钟"),
    "minutes_per_point": _("几分钟 1 分"), "monthly_limit": _("每月限量"),
    "move": _("收货原因"), "name": _("名称"), "named": _("提名"),
    "note": _("备注"), "notice_days": _("公示天数"), "offline": _("离线"), "owed": _("欠账"), "people": _("人数"),
    "points": _("积分"), "points_per_hour": _("每课时积分"),
    "proof": _("凭什么"), "quantity": _("数量"), "role": _("身份"),
    "rows": _("行数"), "rule": _("规则"), "rule_code": _("规则"), "seats": _("名额"), "sent_by": _("由别人补传"),
    "skipped": _("跳过"),
    "starts_at": _("开始"), "starts_on": _("开始日期"), "status": _("状态"), "subject": _("事由"), "taken": _("收回"),
    "title": _("名称"), "upheld": _("成立"), "value": _("新值"), "was": _("原来"), "withdrawn": _("撤回"),
}  # fmt: skip


DEVICES = {"display": _("显示签到码的屏幕"), "counter": _("柜台平板")}
PROOFS = {"scan": _("扫了卡或个人码"), "name": _("核对了姓名和后四位"), "office": _("管理员决定")}


def told_verb(verb: str, language: str) -> str:
    """What was done; a verb of a newer version as it is written."""
    return translate(VERBS.get(verb, verb), language)


def told_change(verb: str, change: Mapping[str, object], language: str) -> str:
    """The values of a change that have a name, in one line."""
    parts = [
        f"{translate(LABELS[key], language)} {_value(verb, key, value, language)}"
        for key, value in change.items()
        if key in LABELS and value is not None and value != []
    ]
    return " · ".join(parts)


def _value(verb: str, key: str, value: object, language: str) -> str:
    if isinstance(value, bool) or key == "sent_by":  # whose login it was says nothing to a reader
        return translate(_("是") if value else _("否"), language)
    if key == "role" and isinstance(value, str) and value in {each.value for each in Role}:
        return translate(ROLES[Role(value)], language)
    if verb == "change_policy" and key == "name" and value in KNOWN:
        return translate(KNOWN[str(value)].title, language)
    if key == "proof" and value in PROOFS:
        return translate(PROOFS[str(value)], language)
    if key == "kind" and value in DEVICES:
        return translate(DEVICES[str(value)], language)
    if key == "list" and value in LISTS:
        return translate(LISTS[str(value)], language)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return _moment(value, language) if isinstance(value, str) else str(value)


def _moment(text: str, language: str) -> str:
    """A stored time or day as people write it; any other text as it is."""
    try:
        if len(text) == len("2026-01-31"):
            return day(date.fromisoformat(text), language)
        return when(datetime.fromisoformat(text), language)
    except ValueError:
        return text
