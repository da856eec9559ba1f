"""A matter in words for a resident: its timeline like a parcel's, and what it waits for now."""

from datetime import datetime

import msgspec

from timebank.core.locale import _, translate
from timebank.core.wording import said
from timebank.matters.reading.shown import MatterOut, StepOut
from timebank.matters.words import LEVEL_WORDS, VERBS

TONES = {
    "received": "wait", "dispatched": "wait", "accepted": "jade", "done": "wait", "closed": "good", "refused": "wrong",
    "merged": "still", "withdrawn": "still",
}  # fmt: skip
"""The tone of a status pill."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline; `note` is what somebody wrote."""

    at: datetime
    text: str
    note: str | None = None


def timeline(matter: MatterOut, language: str) -> list[Line]:
    """The steps of a matter in words, oldest first."""
    return [Line(at=step.at, text=_in_words(matter, step, language), note=step.note) for step in matter.steps]


def _in_words(matter: MatterOut, step: StepOut, language: str) -> str:
    due = step.due_at or matter.first_due_at
    match step.verb:
        case "open":
            return said(_("已收到，最晚 {due:moment} 前办好"), due=due).text(language)
        case "dispatch":
            return _dispatched(matter, step, language)
        case "hand_up" | "hand_down":
            level = translate(LEVEL_WORDS[step.level or matter.level], language)
            return said(_("转给{level}来办"), level=level).text(language)
        case "take" if step.unit or step.team:
            return said(_("{who}在办"), who=step.unit or step.team).text(language)
        case "rate" if step.to_status == "dispatched":
            return translate(_WORDS["reopen"], language)
        case "import_end":
            return translate(_ENDED_BY_BOOK[step.to_status], language)
        case "postpone":
            return said(_("延到 {due:moment}"), due=due).text(language)
        case "correct_area" if step.from_grid and step.grid and step.from_grid != step.grid:
            return said(_("网格从{old}改成了{grid}"), old=step.from_grid, grid=step.grid).text(language)
    return translate(_WORDS.get(step.verb) or VERBS.get(step.verb, step.verb), language)


def _dispatched(matter: MatterOut, step: StepOut, language: str) -> str:
    if step.unit or step.team:
        return said(_("已派给{who}"), who=step.unit or step.team).text(language)
    return translate(_("在等愿意帮忙的人接") if matter.open_to == "all" else _("已派给社区的人"), language)


_WORDS = {
    "take": _("有人接了，在办"), "give_up": _("承办人放弃了，等人重新接"), "return": _("退回了，要重新派"),
    "ask": _("承办人问"), "answer": _("反映人回答"), "finish": _("办好了，请确认"), "confirm": _("核实过了"),
    "rate": _("确认解决了"), "reopen": _("没有解决，重新办"), "merge": _("和更早的一件并在一起办"),
    "receive": _("物品送到了驿站"), "collect": _("物品领走了"), "unreceive": _("驿站撤销了收下"),
    "uncollect": _("驿站撤销了交付，物品还在"), "renew": _("续了期，还在等人领"), "withdraw": _("反映人撤回了"),
    "go_back": _("一直没有人接，退回社区另想办法"), "urge": _("催办了"),
    "correct_area": _("地点改正了"), "come_back": _("从别的社区转回来了，在这里接着办"),
    "give_back": _("过了期限没有人来领，物品还给了送来的人"),
}  # fmt: skip
"""What a step says where it names nobody."""


_ENDED_BY_BOOK = {
    "closed": _("台账写着已经办结"), "refused": _("台账写着不予办理"), "withdrawn": _("台账写着已经撤回"),
}  # fmt: skip
"""How a matter ended that an old book had left open and a later one ended."""


def next_in_words(matter: MatterOut, language: str) -> str | None:
    """What an open matter waits for now; None where it has ended or where the reader is asked."""
    if matter.status == "received":
        return translate(_("接下来：派给能办的单位或人"), language)
    if matter.status == "dispatched":
        who = matter.unit or matter.team
        if who:
            return said(_("接下来：等{who}接单"), who=who).text(language)
        return translate(_("接下来：等人接单"), language)
    if matter.status == "accepted":
        return said(_("正在办，{due:moment} 前办好"), due=matter.due_at).text(language)
    return None


def open_question(matter: MatterOut) -> str | None:
    """What was asked last and has no answer yet."""
    talk = [step for step in matter.steps if step.verb in ("ask", "answer")]
    return talk[-1].note if talk and talk[-1].verb == "ask" and "answer" in matter.may else None
