"""The sentence of every reason why something earned no points: what happened, and what to do now."""

from collections.abc import Mapping

from timebank.core.locale import _
from timebank.core.wording import said
from timebank.presence.words import flag_texts
from timebank.service_records.account.no_points import NoPoints, Why

SENTENCES: Mapping[Why, str] = {
    "open": _("还在服务中（{since:moment} 签到），签退以后才算。"),
    "open_too_long": _(
        "{since:moment} 签到以后没有签退，已过闭站时间（{closing:moment}）。系统会关上这一次，由社区核对时长。"
    ),
    "void": _("这次签到已作废。"),
    "forgotten": _("忘了签退，按闭站时间（{closing:moment}）关上了，等社区核对实际时间。"),
    "outside_hours": _("签到和签退都不在开门时间（{hours:hours}）里，不计时长。"),
    "outside_shift": _("在站的时间都不在这个班次（{begin:moment} 到 {end:moment}）里，不计时长。"),
    "too_short": _("到站 {stayed:minutes}，不足 {least:minutes}，不计时长。"),
    "too_short_in_hours": _(
        "到站 {stayed:minutes}，其中在开门时间（{hours:hours}）里的只有 {inside:minutes}，"
        "不足 {least:minutes}，不计时长。"
    ),
    "too_short_in_shift": _(
        "到站 {stayed:minutes}，其中在班次（{begin:moment} 到 {end:moment}）里的只有 {inside:minutes}，"
        "不足 {least:minutes}，不计时长。"
    ),
    "no_record": _("到站 {stayed:minutes}，没有记成服务：按当时的规定，这么久还不计时长。"),
    "paid": _("带薪的值班，在岗 {stayed:minutes}只记考勤，不计时长和积分。"),
    "waits": _("等社区核对，还没有记积分。要核对的：{flags}。"),
    "waits_no_rule": _("这个活动还没有可用的积分规则，等社区定下来再记。"),
    "waits_entered": _("这是补录的时长，等另一位工作人员审核，再公示，才记积分。"),
    "noticed": _("正在公示，到 {until:moment} 没有异议就记积分。"),
    "objected": _("公示时有人提出异议，社区核实以前先不记。"),
    "notice_over": _("公示期满，正在记积分，几分钟内就到。"),
    "attendance": _("计划 {planned:minutes}，到岗 {stayed:minutes}，只有 {reached}%，不足 {percent}%，不计入。"),
    "refused": _("审核没有通过。原因：{reason}"),
    "refused_unsaid": _("审核没有通过，没有写明原因。请问社区管理员。"),
    "withdrawn": _("这条记录已经撤回，不再计入。"),
    "reversed": _("记过的积分已经冲正。原因：{reason}"),
    "reversed_unsaid": _("记过的积分已经冲正，没有写明原因。请问社区管理员。"),
    "day_full": _("当天计入的时长已经到了每日上限，这 {stayed:minutes}不计。"),
    "day_filled": _(
        "当天离每日上限只剩 {credited:minutes}，{stayed:minutes}里只计了这么多，"
        "还不够 1 分（{per_point} 分钟 1 分），存在时间账户里。"
    ),
    "below_point": _("{credited:minutes}还不够 1 分（{per_point} 分钟 1 分），存在时间账户里，下次接着算。"),
    "repaid": _("得的 {points} 分全部补还了欠账，所以余额没有增加。"),
    "repaid_in_part": _("得的 {points} 分里，{repaid} 分补还了欠账。"),
}
UNFLAGGED = _("时长")


def no_points_in_words(why: NoPoints, language: str = "zh") -> str:
    """The reason in the reader's language, and behind it what a person has written beside it."""
    values = dict(why.values)
    note = values.pop("note", "")
    if "flags" in values:
        values["flags"] = flag_texts(values["flags"]) or [UNFLAGGED]
    text = said(SENTENCES[why.kind], **values).text(language)
    return f"{text} {note}" if note and language == "en" else text + note
