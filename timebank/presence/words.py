"""The sentence of every refusal reason and every flag: what happened, why, and what to do now."""

from typing import Literal

from timebank.core.locale import _
from timebank.core.wording import said

REASONS = {
    "invalid_code": _("这不是本站的码。请扫驿站屏幕上的码，或居民出示的码。"),
    "letters_of_one_case": _(
        "扫码枪打出的字母分不出大小写了，读不出这个码。"
        "请关掉大写锁定（Caps Lock）和扫码枪的大小写转换，输入法切到英文，再扫一次。"
    ),
    "expired_code": _("这个码已过期（{at}）。请对准屏幕再扫一次。"),
    "revoked": _("这张卡已经作废。请用新卡，或请站长补办。"),
    "blocked": _("这位居民的签到已停用。请找社区管理员。"),
    "wrong_station": _("这是别的社区的码，不能在这里用。请到本社区的驿站扫码。"),
    "closed_station": _("{station}现在不开门（{open:hours}）。请在开门时间来签到。"),
    "already_in": _("{at:at} 已经签到了，不用再签。离开时再扫一次签退。"),
    "not_in": _("还没有签到，所以不能签退。请先扫码签到。"),
    "too_short": _("这次到站 {stayed:minutes}，不足 {least:minutes}，不计时长。"),
    "overlap": _("这个时间和另一次签到重叠，没有记上。请站长核对后补录。"),
    "decided_meanwhile": _("这次忘记签退社区已经核对过了，补传的签退没有记上。不对的话，请找社区管理员。"),
    "not_signed_up": _("这个活动要先报名。请报名后再来签到。"),
    "guardian_consent_missing": _("没有登记监护人的同意，孩子还不能签到。请家长到社区登记。"),
    "quota_reached": _("今天计入的时长到了每日上限，超出的部分不计。"),
    "ambiguous": _("您管着几个驿站。请先选是哪一个。"),
    "open_elsewhere": _(
        "您在{station}的签到（{at:at}）还没有签退。请回{station}扫码签退；已经离开的，闭站后会关上那一次，由社区核对时长。"
    ),
    "error": _("没有记上，请再扫一次。"),
    "unreadable": _("这一行读不懂，没有记上。请再扫一次。"),
    "looked_offline": _("当时没有网络，没有办理。请让这位居民再扫一次。"),
    "too_late": _("这次离线扫码已经超过 48 小时，没有记上。请站长补录时长。"),
    "clock_wrong": _(
        "这台设备的时钟不准：这次离线扫码的时间比现在还晚，没有记上。请校准设备的时钟，并请站长补录时长。"
    ),
    "before_pairing": _("这次离线扫码的时间在这台设备启用之前，没有记上。请校准设备的时钟，并请站长补录时长。"),
    "no_keeper_then": _("断网时记下的这次扫码，当时没有站长在这台平板上岗，没有记上。请站长补录时长。"),
    "claim_used": _("这次扫码已经用过了。请对准屏幕再扫一次。"),
    "claim_elsewhere": _("这次扫码不是在这里、用这次登录打开的。请用这部手机对准屏幕再扫一次。"),
}

PAID_DUTY = _("这是带薪的值班，只记考勤，不计时长和积分。")

FLAGS = {
    "overlap": _("和另一次服务的时间重叠"),
    "long_day": _("一天的服务时间过长"),
    "same_device": _("同一部手机同时为几个人签到"),
    "offline": _("离线扫码，时间由设备记下"),
    "skew": _("设备的时钟不准，时间是推算的"),
    "offline_late": _("离线扫码，补传晚了 15 分钟以上"),
    "keeper_is_volunteer": _("志愿者就是本站站长"),
    "served_by_family": _("扫码的站长是本人或同一户的家人"),
    "offline_keeper": _("断网时的扫码，按当时上岗的站长记下"),
    "by_keeper": _("站长代签，没有扫码"),
    "forgotten_check_out": _("忘记签退，按闭站时间关闭"),
    "corrected_end": _("结束时间由人更正过"),
    "code_read_by_staff": _("签到码被工作人员在屏幕以外读取过"),
    "leader": _("带队人自己扫了自己手机上的码"),
    "other_shift": _("扫的是带队人手机上的码，却没有报这一班"),
    "paid_hours": _("有带薪岗位，又在工作日的上班时间（8 点到 18 点）"),
    "own_card": _("办卡和扫卡是同一个人，还没有另一位核对"),
    "two_communities": _("同一个登录账号当时也在别的社区"),
    "long_ago": _("时间久远，超出手工补录的期限"),
    "no_rule": _("没有可用的积分规则"),
    "confirmed_by_family": _("确认的人是本人、家人或开通账号的人"),
    "same_pair": _("同一对人常常互相帮忙"),
}

NOT_REASONS = {
    "letters_of_one_case": "invalid_code", "decided_meanwhile": "overlap", "no_keeper_then": "error",
    "too_late": "error", "clock_wrong": "error", "before_pairing": "error",
    "claim_used": "expired_code", "claim_elsewhere": "expired_code",
}  # fmt: skip


def flag_texts(flags: list[str]) -> list[str]:
    """The flags of a record in words."""
    return [FLAGS.get(flag, flag) for flag in flags]


class ScanRefused(Exception):  # it carries a verdict, not an error of the request
    """A verdict other than ok. The scan catches it, stores the verdict and returns it."""

    def __init__(self, sentence: str, *, status: Literal["incomplete", "error"] = "error", **values: object) -> None:
        super().__init__(sentence)
        self.reason = NOT_REASONS.get(sentence, sentence)
        self.status: Literal["incomplete", "error"] = status
        self.said = said(REASONS[sentence], **values)
