"""What can be wrong with one cell or one row, as a stable code and a sentence that says what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from timebank.locale import _

SENTENCES: Mapping[str, str] = {
    "blank": _("“{column}”是空的，请补上"),
    "text_too_long": _("这一格有 {length} 个字，最多 {most} 个，请缩短"),
    "control_character": _("这一格里有看不见的控制字符，请删掉这一格重新输入"),
    "name_unclear": _("这不像姓名：里面有数字或符号，请只写姓名"),
    "name_private_character": _("姓名里有输入法自造的字，别的电脑上可能显示不出来，请换成标准字"),
    "sex_unclear": _("性别看不懂，请写“男”或“女”"),
    "phone_length": _("手机号有 {length} 位，应为 11 位，请核对"),
    "phone_prefix": _("手机号应以 13 至 19 开头，请核对"),
    "phone_unclear": _("电话里有看不懂的字，请只写 11 位手机号，没有就留空"),
    "phone_rounded": _("表格软件把手机号变成了科学计数，末几位已经丢失，请把这一列设为文本后重新输入"),
    "phone_landline": _("这是座机号，不能用来登录，没有导入；有手机号请补上"),
    "phone_several": _("这一格有多个号码，只用了第一个 {phone}"),
    "identity_length": _("身份证号有 {length} 位，应为 18 位，请核对；护照等其他证件请写在备注里，这一格留空"),
    "identity_unclear": _("身份证号里有不该出现的字符，应为 17 位数字加 1 位数字或 X，请核对"),
    "identity_checksum": _("身份证号的校验位不对，至少有一位写错了，请对照证件核对"),
    "identity_birth": _("身份证号第 7 至 14 位不是一个真实的日期，请对照证件核对"),
    "identity_rounded": _("表格软件把身份证号变成了科学计数，末几位已经丢失，请把这一列设为文本后重新输入"),
    "birth_differs": _("出生日期与身份证号里的 {date} 不一致，已按身份证号导入，请核对"),
    "sex_differs": _("性别与身份证号不一致，已按身份证号导入，请核对"),
    "birth_impossible": _("出生日期在今天之后或早于 130 年前，请核对"),
    "not_identifiable": _("没有身份证号，也没有出生日期或电话，认不出是哪一位，请至少补一样"),
    "duplicate": _("与第 {row} 行重复，请删掉其中一行"),
    "date_unclear": _("日期看不懂，请写成“2026-07-01”这样带年份的日期"),
    "date_impossible": _("没有这一天，请核对日期"),
    "date_future": _("日期在今天之后，请核对"),
    "time_unclear": _("时间看不懂，请写成“15:30”"),
    "impossible_time": _("没有这个时间，一天只到 24:00，请核对"),
    "missing_in": _("没有签到时间，请补上"),
    "missing_out": _("没有签退时间，请补上，或按实际情况走补录"),
    "out_before_in": _("签退时间不晚于签到时间，请核对；过了半夜的请在签退前写“次日”"),
    "too_long": _("一次服务超过 24 小时，请核对"),
    "long_service": _("一次服务超过 12 小时，请审核时留意"),
    "overlap": _("与第 {row} 行同一人的服务时间重叠（{earlier}），一个人不能同时在两处，请核对"),
    "same_day": _("同一人当天在第 {row} 行还有一次服务（{earlier}），请审核时留意"),
    "duration_differs": _("表里写的时长与签到签退算出的 {minutes} 分钟不一致，已按签到签退计算"),
    "duration_unclear": _("时长看不懂，请写成小时数，如“1.5”"),
    "unknown_person": _("花名册里没有这个人，请先登记，或核对姓名和电话"),
    "unknown_phone": _("花名册里有同名的人，但电话不是这个，请核对电话"),
    "name_differs": _("这个电话登记的不是这个姓名，请核对姓名和电话"),
    "ambiguous_person": _("花名册里有 {count} 位同名的人，请补上电话或楼栋单元"),
    "unknown_item": _("积分目录里没有这个事项，请改成目录里的名称，或先把它加进目录"),
    "points_differ": _("目录里这个事项是 {expected} 分，请改成目录分值；确有理由的请在备注写明，由管理员审核"),
    "points_differ_reason": _("目录里这个事项是 {expected} 分，备注写了理由，请管理员审核"),
    "own_witness": _("证明人是本人，请换一位证明人"),
    "household_witness": _("证明人与本人同住一户，请审核时留意"),
    "number_unclear": _("这一格应是数字，请核对"),
    "not_whole": _("这一格应是整数，请核对"),
    "number_range": _("这一格应在 {least} 到 {most} 之间，请核对"),
}
"""Every problem kind; a code never changes its meaning, a sentence may be reworded and is translated by its text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a code of SENTENCES and the values its sentence names. Never holds personal data."""

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The problem in words, through the reader's language when `translate` is given."""
        return translate(SENTENCES[self.code]).format(**self.values)


def problem(code: str, **values: str | int) -> Problem:
    """A problem of a known kind; an unknown code is a mistake of the caller and fails at once."""
    if code not in SENTENCES:
        raise KeyError(code)
    return Problem(code, values)
