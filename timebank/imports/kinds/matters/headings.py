"""The known headings of old books of matters."""

import re

from timebank.imports.cells.cell_values import Cell, plain_text
from timebank.imports.sheets.known_headings import ESTATE, NOTE, ROSTER, UNIT_NUMBER
from timebank.imports.sheets.meanings import is_day, is_name, is_phone, means

_OF_ROSTER = {meaning.key: meaning for meaning in ROSTER}
_RUNNING = re.compile(r"\d{1,5}(\.0+)?")


def is_running(text: str) -> bool:
    """Whether a number only counts the rows of a sheet: each month's and each grid's sheet begins with 1 again."""
    return _RUNNING.fullmatch(text) is not None


def _is_own_number(cell: Cell) -> bool:
    text = plain_text(cell)
    return bool(re.search(r"\d", text)) and not is_running(text)


NUMBER = means(
    "number",
    "编号 事项编号 受理编号 登记编号 工单号 工单编号 案件编号 事件编号 案卷号 流水号 单号 "
    "任务号 number caseno ticketno",
    r"^(?!.*(网格|楼|身份|电话|手机)).*(编号|工单号|案卷号|流水号)$",
    weak="序号 号码 no id",
    shape=_is_own_number,
)
RECEIVED = means(
    "date",
    "上报时间 上报日期 受理时间 受理日期 登记时间 登记日期 反映时间 反映日期 发现时间 发现日期 接件时间 收件时间 "
    "诉求时间 来电时间 来访时间 接访时间 提交时间 发生时间 receivedat reportedat received",
    r"^(?!.*(办结|完成|结案|回复|反馈|截止|期限|要求|限时|整改)).*(上报|受理|登记|反映|发现|接件|收件|接收|诉求|来电|"
    r"来访|提交).*(时间|日期)",
    weak="日期 时间 date time",
    shape=is_day,
)
DONE = means(
    "out",
    "办结时间 办结日期 完成时间 完成日期 办理完成时间 处理完成时间 处置完成时间 结案时间 结案日期 解决时间 解决日期 "
    "销号时间 销号日期 doneat closedat completedat finished",
    r"^(?!.*(要求|期限|截止|限时|应|承诺|计划|预计)).*(办结|完成|结案|解决|销号|办毕).*(时间|日期)",
    weak="处理时间 处置时间 办理时间 处理日期 办理日期 整改时间 回复时间 反馈时间 答复时间",
    shape=is_day,
)
SPOT = means(
    "spot",
    "地点 位置 具体位置 详细位置 地址 详细地址 事发地点 事发地址 发生地点 发生地址 问题地点 所在位置 事件地点 点位 "
    "place location address",
    r"^(?!.*(家庭|户籍|联系|单位)).*(地点|位置|地址)",
)
CATEGORY = means(
    "category",
    "类别 类型 分类 事项类别 事项类型 事项分类 问题类别 问题类型 问题分类 事件类别 事件类型 事件分类 诉求类别 诉求类型 "
    "诉求分类 小类 category type",
    r"^(?!.*(人员|证件|单位|来源)).*(类别|类型|分类)$",
)
SAID = means(
    "said",
    "内容 事项内容 问题 问题描述 问题内容 反映内容 反映问题 反映事项 诉求内容 诉求 事件描述 事件内容 主要内容 具体内容 "
    "情况描述 事项 事项描述 事由 描述 问题简述 事项名称 事件名称 content description what matter",
    r"^(?!.*(办理|处理|处置|结果|时间|日期|编号|类别|类型)).*(内容|描述|问题|诉求|事由|情况说明)$",
)
REPORTER = means(
    "name",
    "上报人 上报人姓名 反映人 反映人姓名 诉求人 诉求人姓名 来访人 来访人姓名 来电人 来电人姓名 报告人 提交人 当事人 "
    "居民 居民姓名 群众姓名 姓名 reporter name",
    r"^(?!.*(电话|手机|联系方式)).*(上报|反映|诉求|来访|来电|报告|提交)人",
    shape=is_name,
)
REPORTER_PHONE = means(
    "phone",
    "联系电话 电话 手机 手机号 手机号码 联系方式 电话号码 上报人电话 反映人电话 诉求人电话 来电号码 来访人电话 phone "
    "mobile tel",
    r"^(?!.*(承办|处理|办理|责任|单位|网格员|网格长|经办)).*(电话|手机|联系方式)",
    weak="号码 联系",
    shape=is_phone,
)
HANDLER = means(
    "handler",
    "承办单位 办理单位 处理单位 处置单位 责任单位 主办单位 牵头单位 承办部门 办理部门 处理部门 处置部门 责任部门 "
    "承办单位部门 派往单位 转办单位 handler",
    r"(承办|办理|处理|处置|责任|主办|牵头|转办|派往|交办).*(单位|部门)$",
)
RESULT = means(
    "result",
    "办理结果 处理结果 处置结果 办理情况 处理情况 处置情况 整改情况 反馈情况 办结情况说明 结果 办理意见 处理意见 "
    "落实情况 解决情况 result",
    r"(办理|处理|处置|整改|反馈|解决|落实|答复|回复)(结果|情况|内容|意见)",
)
STATE = means(
    "state",
    "状态 是否办结 办结情况 办结状态 办理状态 处理状态 处置状态 完成情况 是否完成 是否解决 是否处理 是否结案 办理进度 "
    "进度 进展 当前状态 status state",
    r"^是否(已)?(办结|完成|解决|处理|结案|销号|办理)|(办理|处理|处置|办结|当前)状态|进度$",
)
SATISFIED = means(
    "satisfied",
    "满意度 是否满意 群众满意度 居民满意度 满意情况 满意程度 满意度评价 群众评价 居民评价 回访满意度 评价 satisfied "
    "satisfaction",
    r"满意",
)
MATTERS = (
    NUMBER,
    RECEIVED,
    DONE,
    _OF_ROSTER["grid"],
    ESTATE,
    _OF_ROSTER["building"],
    UNIT_NUMBER,
    SPOT,
    CATEGORY,
    SAID,
    REPORTER,
    REPORTER_PHONE,
    HANDLER,
    RESULT,
    STATE,
    SATISFIED,
    NOTE,
)
REQUIRED = ("date", "said")
