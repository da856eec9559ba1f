"""The known headings of lists of who has reported in from which unit."""

from timebank.imports.sheets.known_headings import NOTE, PHONE, ROSTER
from timebank.imports.sheets.meanings import is_day, is_name, means

_OF_ROSTER = {meaning.key: meaning for meaning in ROSTER}

FROM_UNIT = means(
    "from_unit",
    "单位 单位名称 工作单位 所在单位 报到单位 派出单位 所属单位 单位全称 在职单位 workplace employer organisation "
    "organization unitname unit",
    r"^(?!.*(电话|地址|联系人|意见|盖章)).*单位(名称|全称)?$",
)
REPORTED_ON = means(
    "date",
    "报到日期 报到时间 双报到时间 双报到日期 到社区报到时间 登记日期 登记时间 日期 reportedon reportdate date",
    r"报到.*(日期|时间)|登记(日期|时间)",
    weak="时间 time",
    shape=is_day,
)
MEMBER_NAME = means(
    "name",
    "姓名 名字 党员姓名 在职党员 在职党员姓名 报到人 报到人姓名 干部姓名 职工姓名 人员姓名 成员姓名 志愿者 志愿者姓名 "
    "name fullname membername",
    r"^(?!.*(单位|证明|紧急|家长|监护|联系人|网格)).*姓名|^(full|member)name",
    weak="人员 成员 党员 本人 报到党员",
    shape=is_name,
)
SKILL = means(
    "skill",
    "特长 技能 专长 个人特长 服务特长 志愿服务特长 服务意向 志愿服务意向 可提供的服务 认领岗位 skill skills",
    r"特长|专长|技能",
)
TEAM = means(
    "team",
    "班组 队伍 所属班组 所在班组 参加班组 所属队伍 所在队伍 服务队 志愿服务队 志愿队 所属服务队 小组 team teams",
    r"^(?!.*(电话|组长|队长|负责人)).*(班组|队伍|服务队|志愿队)(名称)?$",
)
MEMBERS = (
    FROM_UNIT,
    MEMBER_NAME,
    _OF_ROSTER["sex"],
    _OF_ROSTER["identity"],
    _OF_ROSTER["document"],
    _OF_ROSTER["born_on"],
    PHONE,
    REPORTED_ON,
    SKILL,
    TEAM,
    NOTE,
)
REQUIRED = ("name",)
"""The unit may stand in a column, in the title of the list, or in the name of its sheet."""
