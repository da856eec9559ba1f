"""Recognises remarks that decide about a row: the person has moved away or died, or the row was cancelled."""

import re
from typing import Literal

Fate = Literal["gone", "died", "unclear"]

_NOT_YET = r"(?<![未没不拟])(?<!没有)(?<!准备)(?<!计划)(?<!即将)(?<!可能)(?<!不会)(?<!不再)"
_GONE = re.compile(
    rf"{_NOT_YET}(搬走|搬离|搬出|搬家|搬往|搬了|迁出|迁走|迁往|外迁|转出|转走|已搬|已退租|退租|离开(本|此)?(社区|小区)|"
    r"不在(本小区|此)居住|不住这里)"
)
_DIED = re.compile(
    rf"{_NOT_YET}(去世|死亡|已故|病故|过世|亡故|身故|逝世|离世|辞世|仙逝|已殁|^(\d{{4}}[年.\-/\d月日]*)?[亡殁逝]$)"
)
# What may mean that somebody has gone or died, and may mean something else.
_PERHAPS = re.compile(
    rf"{_NOT_YET}(搬到|搬至|搬去|迁至|销户|注销|走了$|人?已不在|^已走$|出嫁|嫁出|外嫁|调[出走离]|房子?已卖|已?卖房|房屋?已售|租期到)"
)
_BACK = re.compile(r"搬回|迁回|回迁|转回|又回|已回|安置|[到至]\d+[栋号幢#]")
_OF_ANOTHER = re.compile(
    r"丈夫|妻子|配偶|爱人|父亲|母亲|父母|爸|妈|儿子|女儿|子女|长子|次子|老伴|公公|婆婆|爷爷|奶奶|户主|家人|家属|遗属|遗孀|"
    r"[哥姐弟妹]|[夫妻父母媳婿孙儿](?=已|于|去|病|死|亡|离|过|故|\d)|其[夫妻父母子女]|"
    r"租客|租户|房客|承租|原住|前住|户口|户籍|学籍|低保|医保|社保|党员?关系|组织关系|人户分离|空挂"
)
_MAYBE = re.compile(
    r"拟|准备|计划|即将|可能|疑似|预计|打算|想|(?<![^\d月日年])[要将](?=搬|迁|转|离|退)|[要将](?=搬|迁|转出|退租)|下个?月|明年|年底前|\?|？"
)
_MOVED_IN = re.compile(r"转入|迁入|搬入|搬来|新入住")
# Only a remark that begins with the word: "劝阻无效" is what a deed was about.
_CANCELLED = re.compile(
    r"[(（]?(已|本次|本人|此[条行人]|该[条行]|临时有事|有事|因[^，,。]{1,6})?(作废|取消|无效|缺席|缺勤|旷工|未到|没到|没来|未参加|请假|病假|事假|不予(认定|计分)|"
    r"驳回|撤回|(重复(登记|录入|签到|填报|了)?|删除|不计(分|时|入)?|不算|有误|错误|填错了?|测试)[)）。]?$)"
)
_ABSENT = re.compile("请假|缺席|缺勤|旷工|(?<!从)(?<!从来)未到(?!期|位)|没到场|没来|未参加")
_SHORTER = re.compile("迟到|早退|中途(离开|退场)|提前(离开|走|退场)")
_SIGNED_BY_ANOTHER = re.compile("[代替].{0,4}签(?!收)|代打卡|[代替].{0,4}(值班|上岗|到岗|顶班)|顶替|冒名")
_NUMBER = r"[\d零一二两三四五六七八九十半]"
_CORRECTS = re.compile(
    rf"(实际|实为|应为|应是|改为|更正为|更正[:：]|实到|实退).{{0,8}}?(?:{_NUMBER}\s*个?半?\s*(小时|钟头|分钟|点)|\d[:：]\d\d)"
)
_TURNED_DOWN = re.compile(
    r"否|不是|[×✗✕xX]|缺|旷|(不|未|没有?)(通过|合格|认定|到岗|到场|参加|参与|出勤|来|到|有效)|no|absent", re.IGNORECASE
)
_ENDED = re.compile(
    r"(已|暂|现已|暂时)?(下架|停兑|停止兑换|停用|取消兑换|停售|不再?兑换|非卖品|不可兑换|过期|报废|作废)"
)


def fate(note: str | None) -> Fate | None:
    """What a remark says of a resident: moved away, died, or unclear if it may mean another person or a plan."""
    if not note:
        return None
    gone, died = _GONE.search(note), _DIED.search(note)
    if not gone and not died:
        maybe = _MAYBE.search(note) and re.search(r"搬走|迁出|转出|去世", note)
        return "unclear" if maybe or _PERHAPS.search(note) else None
    if _BACK.search(note) or _MAYBE.search(note) or _OF_ANOTHER.search(note):
        return "unclear"
    return "died" if died else "gone"


def moved_in(note: str | None) -> bool:
    """Whether a remark says that somebody has moved in."""
    return bool(note and _MOVED_IN.search(note))


def cancelled(note: str | None) -> bool:
    """Whether a remark cancels the row."""
    return bool(note and _CANCELLED.match(note))


def turned_down(state: str | None) -> bool:
    """Whether a cell about attendance or review says that the person was absent or that the deed does not count."""
    return bool(state and (_TURNED_DOWN.fullmatch(state) or cancelled(state)))


def odd_of_service(note: str | None) -> str | None:
    """The problem code for a remark that a reviewer should check: an absence, a shorter stay, another's signature."""
    if not note:
        return None
    for code, pattern in (
        ("remark_signed_by_another", _SIGNED_BY_ANOTHER), ("remark_absent", _ABSENT), ("remark_shorter", _SHORTER),
    ):  # fmt: skip
        if pattern.search(note):
            return code
    return None


def corrects(note: str | None) -> bool:
    """Whether a remark gives a corrected time or length, such as 实际2小时."""
    return bool(note and _CORRECTS.search(note))


def ended(note: str | None) -> bool:
    """Whether a remark says that a good is no longer offered."""
    return bool(note and _ENDED.match(note))
