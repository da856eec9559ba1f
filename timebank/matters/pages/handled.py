"""What a page shows of one matter to those who handle it: its facts, its steps, and the form of one act."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.words import WHY as WHY_NO_DEED
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.matters.categories.categories import find_category
from timebank.matters.moving.leaving import MOVES, communities_to_move_to
from timebank.matters.opening.similar import similar_matters
from timebank.matters.pages.acts import acts_of
from timebank.matters.reading.choices import place_choices
from timebank.matters.reading.listing import shown_many
from timebank.matters.reading.one import find_matter
from timebank.matters.reading.receivers import receivers
from timebank.matters.reading.rows import matter_rows
from timebank.matters.reading.shown import MatterOut
from timebank.matters.words import BECAUSE, BY, KINDS, LEVEL_WORDS, STATUSES

WHY_NOTHING: Mapping[str, str] = WHY_NO_DEED | {
    "nobody": _("没有可以记分的反映人"), "own_work": _("反映的人就是办理的人"), "not_true": _("没有属实"),
    "untrue_before": _("反映人近来多次不属实"), "late": _("过了期限才办好"), "untrue": _("核实不属实"),
    "not_confirmed": _("还没有核实"), "imported": _("从旧台账录入的事项不记分"),
}  # fmt: skip
"""Why a confirmed matter brought its reporter nothing."""
WAITS_ALTHOUGH = ("family", "many_points")
DONE: Mapping[str, str] = {
    "opened": _("收到了，等网格长派单。"), "dispatch": _("派出去了。"), "take": _("接单了，请在期限前办好。"),
    "finish": _("办结了，已经请反映人说一声。"), "confirm": _("核实了。"), "rate": _("评价记下了。"),
    "call": _("回访记下了。"), "ask": _("问了，对方回答后会告诉您。"), "postpone": _("延期了，反映人会看到原因。"),
    "hand_up": _("交给上一级了。"), "hand_down": _("交给下一级了。"), "return": _("退回了。"),
    "give_up": _("放弃了，等人重新接。"), "merge": _("并过去了，反映人会收到通知。"),
    "refuse": _("定为不办理，反映人会看到原因。"), "reopen": _("重新办理了。"), "publish": _("公开了。"),
    "correct_area": _("地点改好了，两边的网格长和反映人会收到通知。"),
    "check": _("抽查记下了。"),
}  # fmt: skip
TONE = {
    "received": "wait", "dispatched": "jade", "accepted": "jade", "done": "wait", "closed": "good",
    "refused": "still", "merged": "still", "withdrawn": "still",
}  # fmt: skip
WORDS: dict[str, Any] = {
    "kinds": KINDS, "statuses": STATUSES, "levels": LEVEL_WORDS, "reasons": BECAUSE, "by": BY,
    "tone": TONE,
}  # fmt: skip
"""What the parts of the pages say, for their templates."""
_FIRST = ("dispatch", "confirm", "finish")


async def shown_to_handler(request: AnyRequest, scope: Scope, matter_id: UUID, act: str, base: str) -> dict[str, Any]:
    """The context of a page of one matter; `act` is the form that is open, else the one that is due.

    `base` is the address of the matter on this face; its forms post to `base/act`.
    """
    language = language_of(request)
    matter = await find_matter(scope, matter_id, language)
    acts = acts_of(matter, scope)
    opened = act if act in acts else _due(matter, acts)
    query = request.query_params
    return WORDS | {
        "matter": matter,
        "acts": acts,
        "act": opened,
        "base": base,
        "language": language,
        "outcome": None if request.method == "POST" else DONE.get(query.get("done", "")),
        "earned": _number(query.get("points")),
        "hours": _number(query.get("hours")),
        "why": WHY_NOTHING.get(query.get("why", "")),
        "waits": query.get("why") in WAITS_ALTHOUGH,
        "category": await find_category(scope, matter.category_code) if "dispatch" in acts else None,
        "receivers": await receivers(scope) if opened == "dispatch" else None,
        "elsewhere": await communities_to_move_to(scope) if opened == "refuse" and matter.kind in MOVES else [],
        "places": (await place_choices(scope)).every if opened == "correct_area" else [],
        "similar": await _older(scope, matter, language) if opened == "merge" else [],
        "now": clock.now(),
    }


def _due(matter: MatterOut, acts: Any) -> str:
    """The act that the matter waits for."""
    if matter.verified is not None:
        acts = [act for act in acts if act != "confirm"]
    return next((act for act in _FIRST if act in acts and not (act == "dispatch" and matter.status != "received")), "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


async def _older(scope: Scope, matter: MatterOut, language: str) -> list[MatterOut]:
    """The open matters of the same kind nearby that were received before this one."""
    if matter.area_id is None:
        return []
    found = await similar_matters(scope, matter.category_code, matter.area_id, language)
    older = [one.id for one in found if (one.received_at, one.id) < (matter.received_at, matter.id)]
    rows = await matter_rows(scope, older)
    return await shown_many(scope, [rows[one] for one in older if one in rows], language)
