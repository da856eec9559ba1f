"""Remarks that decide about a row: somebody has moved away or died, a line of a list was cancelled."""

import re
from typing import Literal

Fate = Literal["gone", "died", "unclear"]

_NOT_YET = r"(?<![未没不拟])(?<!没有)(?<!准备)(?<!计划)(?<!即将)(?<!可能)"
_GONE = re.compile(rf"{_NOT_YET}(搬走|搬离|搬出|迁出|迁走|转出|已搬|已退租|离开本社区|不在(本小区|此)居住|不住这里)")
_DIED = re.compile(rf"{_NOT_YET}(去世|死亡|已故|病故|过世|亡故|身故|逝世|已殁)")
_BACK = re.compile(r"搬回|迁回|回迁|转回|又回|已回|安置")
_OF_ANOTHER = re.compile(
    r"丈夫|妻子|配偶|爱人|父亲|母亲|父母|爸|妈|儿子|女儿|子女|长子|次子|老伴|公公|婆婆|爷爷|奶奶|户主|家人|家属|遗属|遗孀|"
    r"[哥姐弟妹]|租客|租户|房客|承租|原住|前住|户口|户籍|学籍|低保|医保|社保|党员?关系|组织关系|人户分离|空挂"
)
_MAYBE = re.compile(r"拟|准备|计划|即将|可能|疑似|\?|？")
_MOVED_IN = re.compile(r"转入|迁入|搬入|新搬来|新入住")
# Only a remark that begins with the word: "劝阻无效" is what a deed was about.
_CANCELLED = re.compile(
    r"(已|本次|此[条行]|该[条行]|因[^，,。]{1,6})?(作废|取消|无效|缺席|缺勤|旷工|未到|没来|未参加|请假|不予(认定|计分)|驳回|撤回)"
)
_ENDED = re.compile(r"(已|暂|现已|暂时)?(下架|停兑|停止兑换|停用|取消兑换)")


def fate(note: str | None) -> Fate | None:
    """What a remark says of a resident: moved away, died, or something of the kind that may mean another person."""
    if not note:
        return None
    gone, died = _GONE.search(note), _DIED.search(note)
    if not gone and not died:
        return "unclear" if _MAYBE.search(note) and re.search(r"搬走|迁出|转出|去世", note) else None
    if _BACK.search(note) or _MAYBE.search(note) or _OF_ANOTHER.search(note):
        return "unclear"
    return "died" if died else "gone"


def moved_in(note: str | None) -> bool:
    """Whether a remark says that somebody has come from elsewhere."""
    return bool(note and _MOVED_IN.search(note))


def cancelled(note: str | None) -> bool:
    """Whether a remark takes a service or deed back."""
    return bool(note and _CANCELLED.match(note))


def ended(note: str | None) -> bool:
    """Whether a remark says that a good is not offered any more."""
    return bool(note and _ENDED.match(note))
