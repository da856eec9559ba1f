"""What the words of a book say: whether a matter is done or was dropped, and whether its resident was content."""

import re
from typing import Literal, NamedTuple

from timebank.imports.cells.problems import Problem, problem

Ended = Literal["closed", "open"]
Dropped = Literal["not_ours", "untrue", "withdrawn", "unclear"]
"""How a matter ended without being done; `unclear` where the word leaves open what became of it."""

_OPEN = re.compile(
    r"否|未|×|✗|x|n|no|open|(还|尚)?(没有?|未)(已)?(办结|完成|解决|处理|办理|结案|办|销号).*|(正在)?(办理|处理|处置|整改|推进|解决|协调|跟进)中?"
    r"|在办|待办|待处理|待办理|待派单|待处置|进行中|已受理|已登记|已派(单|发)|已转办?|已交办|已上报|跟踪中?|长期(推进|跟踪)",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"是|√|✓|☑|y|yes|done|closed|(已|全部|当[日天场])?(经)?(办结|完成|解决|处理|结案|销号|办理完毕|处理完毕|处置完毕|整改完成|整改到位|办毕|归档|闭环|办好|答复|回复)"
    r"(归档|销号)?(了|完毕)?|100%",
    re.IGNORECASE,
)
_DROPPED: tuple[tuple[re.Pattern[str], Dropped], ...] = (
    (re.compile(r"(已)?(撤销|撤回|取消)(了)?"), "withdrawn"),
    (re.compile(r"不予受理|不受理|不予办理"), "not_ours"),
    (re.compile(r"(经核实|核实后?)?不属实|无效|误报"), "untrue"),
    (re.compile(r"(已)?(作废|退回)|重复.*"), "unclear"),
)


def _plain(state: str | None) -> str:
    return re.sub(r"[\s。.!！]", "", state or "")


def dropped(state: str | None) -> Dropped | None:
    """How the book says that a matter ended without being done; None where it says nothing of the kind."""
    return next((how for pattern, how in _DROPPED if pattern.fullmatch(_plain(state))), None)


def ended(state: str | None, *, has_done: bool, has_result: bool) -> Ended | tuple[str, Problem]:
    """Whether a matter that was not dropped is done, from what the book says; else the column and why it is unclear.

    A finished one needs its day: the figures count how many days it took.
    """
    word = _plain(state)
    if not word:
        if has_done:
            return "closed"
        return ("out|result", problem("matter_state_missing")) if has_result else "open"
    if _CLOSED.fullmatch(word):
        return "closed" if has_done else ("out|state", problem("matter_done_missing"))
    if _OPEN.fullmatch(word):
        return "open" if not has_done else ("state", problem("matter_done_differs"))
    return "closed" if has_done else ("state", problem("matter_state_unclear"))


class Answer(NamedTuple):
    """What a resident said: whether it is solved, and the stars that stand for the word."""

    solved: bool
    stars: int


_ANSWERS: tuple[tuple[re.Pattern[str], Answer | None], ...] = (
    (re.compile(r"(非常|很|十分|极其|极)满意|5(星|分)?|五星|非常好|优秀?"), Answer(True, 5)),
    (re.compile(r"(比较|较)?满意|是|√|✓|4(星|分)?|四星|好评?|良好?|yes", re.IGNORECASE), Answer(True, 4)),
    (re.compile(r"基本满意|一般满意"), Answer(True, 3)),
    (re.compile(r"(不太|较不|不够)满意|2(星|分)?|二星"), Answer(False, 2)),
    (re.compile(r"(很|非常|极)?不满意?|否|×|差评?|1(星|分)?|一星|no", re.IGNORECASE), Answer(False, 1)),
    (re.compile(r"未?回访|(未|没有?|暂未)(评价|回访|联系上|反馈|接通).*|无人接听|/|无|-+"), None),
)


def resident_answer(word: str | None) -> Answer | Problem | None:
    """The resident's answer. Silence is no answer, and a word that leaves it open is not counted either."""
    said = _plain(word)
    if not said:
        return None
    for pattern, answer in _ANSWERS:
        if pattern.fullmatch(said):
            return answer
    return problem("satisfied_unclear")
