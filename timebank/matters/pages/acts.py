"""The verbs on one matter as forms, the same on the panel, on the phone of who is on duty, and on a unit's desk."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.core import clock
from timebank.core.errors import Invalid, NotFound
from timebank.core.locale import _
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.uploads import with_photo
from timebank.matters.loop import confirming, dispatching, ending, handling, placing, rating, showing, talking
from timebank.matters.reading.one import find_by_number
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import (
    AreaIn,
    ConfirmIn,
    DispatchIn,
    FinishIn,
    People,
    PostponeIn,
    PublishIn,
    RatingIn,
    ReasonGiven,
    RefuseIn,
    ReturnIn,
    Said,
    ShortReason,
    TextIn,
)
from timebank.photos.drawing import Upload
from timebank.photos.keeping import keep_sent
from timebank.web.forms import chosen, parse_form

ACTS = (
    "dispatch", "take", "finish", "confirm", "rate", "call", "ask", "postpone", "hand_up", "hand_down", "return",
    "give_up", "merge", "correct_area", "refuse", "reopen", "publish",
)  # fmt: skip
"""The verbs that these pages offer, in the order of their buttons; `call` is a rating that was asked for by phone."""
AT_ONCE = ("take", "hand_down")
"""What needs no more than one tap."""

LocalMoment = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$")]
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REASON = {"reason": _("原因")}
Fields = Mapping[str, str]


class DispatchForm(msgspec.Struct):
    """`to` names a unit, team or person with its kind, or all; blank is the category's own."""

    to: Annotated[str, Meta(pattern=rf"^((unit|team|person):{_ID}|all)$")] | None = None
    people_wanted: People | None = None

    def wanted(self) -> DispatchIn:
        if self.to is None or self.to == "all":
            return DispatchIn(open_to="all" if self.to else None, people_wanted=self.people_wanted)
        kind, _colon, named = self.to.partition(":")
        return msgspec.convert({f"{kind}_id": named, "people_wanted": self.people_wanted}, DispatchIn)


class FinishForm(msgspec.Struct):
    result: Said = ""
    started_at: LocalMoment | None = None
    ended_at: LocalMoment | None = None


class PostponeForm(msgspec.Struct):
    until: LocalMoment
    reason: ShortReason = ""


class MergeForm(msgspec.Struct):
    """The older matter: one of those shown, or the number of another."""

    into: UUID | None = None
    number: Annotated[str, Meta(max_length=20, pattern=r"^[0-9 ]*$")] = ""


class PublishForm(msgspec.Struct):
    public_text: ShortReason = ""
    cleared: bool = False


def acts_of(matter: MatterOut, scope: Scope) -> Sequence[str]:
    """The acts that the caller is offered."""
    offered = set[str](matter.may)
    on_duty = scope.administers or scope.has(Role.grid_worker, Role.grid_head)
    if on_duty and matter.seen_as == "staff" and _waits_for_word(matter):
        offered.add("call")
    return [act for act in ACTS if act in offered]


def _waits_for_word(matter: MatterOut) -> bool:
    """Whether somebody could be asked by phone if it is solved, and has not said so of the last finish."""
    if matter.kind == "wish" and matter.status == "done":
        return False  # nobody has collected it yet
    verbs = [step.verb for step in matter.steps]
    since = verbs[::-1].index("finish") if "finish" in verbs else len(verbs)
    asked = matter.reporter_id is not None or matter.for_person is not None
    return asked and matter.status in ("done", "closed") and "rate" not in verbs[len(verbs) - since :]


async def use_act(request: AnyRequest, scope: Scope, matter_id: UUID, act: str) -> str:
    """Carry out what the form of this act asks for; the query that says what came of it."""
    fields, photo = await with_photo(request)
    if act == "finish":
        return await _finish(scope, matter_id, fields, photo)
    if act == "publish":
        return await _publish(scope, matter_id, fields, await chosen(request, "attachment_ids"))
    if act not in _RUN:
        raise NotFound
    return await _RUN[act](scope, matter_id, fields)


async def _dispatch(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(DispatchForm, fields, {"to": _("派给谁"), "people_wanted": _("要几个人")})
    await dispatching.dispatch(scope, matter_id, told.wanted())
    return "done=dispatch"


async def _hand_up(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await dispatching.hand_up(scope, matter_id, parse_form(ReasonGiven, fields, _REASON).reason)
    return "done=hand_up"


async def _hand_down(scope: Scope, matter_id: UUID, _fields: Fields) -> str:
    await dispatching.hand_down(scope, matter_id)
    return "done=hand_down"


async def _take(scope: Scope, matter_id: UUID, _fields: Fields) -> str:
    await handling.take_matter(scope, matter_id)
    return "done=take"


async def _give_up(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await handling.give_up(scope, matter_id, parse_form(ReasonGiven, fields, _REASON).reason)
    return "done=give_up"


async def _return(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(ReturnIn, fields, {"reason": _("原因"), "suggestion": _("该由谁办")})
    await handling.return_matter(scope, matter_id, told)
    return "done=return"


async def _finish(scope: Scope, matter_id: UUID, fields: Fields, photo: Upload) -> str:
    labels = {"result": _("办得怎么样"), "started_at": _("从几点"), "ended_at": _("到几点")}
    told = parse_form(FinishForm, fields, labels)
    kept = await keep_sent(scope, fields, photo)
    wanted = FinishIn(
        result=told.result, started_at=_moment(told.started_at), ended_at=_moment(told.ended_at), photo_ids=kept
    )
    await handling.finish_matter(scope, matter_id, wanted)
    return "done=finish"


async def _confirm(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(ConfirmIn, fields, {"verified": _("是否属实"), "note": _("说明")})
    found = await confirming.confirm_matter(scope, matter_id, told)
    said = {"points": found.award.points if found.award else "", "why": found.why or "", "hours": len(found.records)}
    return urlencode({"done": "confirm"} | {name: value for name, value in said.items() if value})


async def _rate(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await rating.rate(scope, matter_id, _rating(fields))
    return "done=rate"


async def _call(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await rating.rate(scope, matter_id, msgspec.structs.replace(_rating(fields), called=True))
    return "done=call"


def _rating(fields: Fields) -> RatingIn:
    return parse_form(RatingIn, fields, {"solved": _("解决了吗"), "stars": _("几颗星"), "words": _("说了什么")})


async def _ask(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await talking.ask_reporter(scope, matter_id, parse_form(TextIn, fields, {"text": _("问什么")}).text)
    return "done=ask"


async def _postpone(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(PostponeForm, fields, {"until": _("延到什么时候"), "reason": _("原因")})
    until = _moment(told.until)
    assert until is not None
    await talking.postpone(scope, matter_id, PostponeIn(until, told.reason))
    return "done=postpone"


_REFUSED = {"because": _("为什么"), "note": _("说明"), "to_community": _("在哪个社区")}


def _without_idle_choice(fields: Fields) -> Fields:
    """The form's fields; a community counts only where the matter is elsewhere."""
    goes = fields.get("because") == "elsewhere"
    return {name: value for name, value in fields.items() if goes or name != "to_community"}


async def _refuse(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(RefuseIn, _without_idle_choice(fields), _REFUSED)
    await ending.refuse(scope, matter_id, told)
    return "done=refuse"


async def _merge(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(MergeForm, fields, {"into": _("并入哪一件"), "number": _("编号")})
    into = told.into or ((await find_by_number(scope, told.number)).id if told.number.strip() else None)
    if into is None:
        raise Invalid(why=_("并入哪一件"))
    await ending.merge_matters(scope, matter_id, into)
    return "done=merge"


async def _correct_area(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    told = parse_form(AreaIn, fields, {"area_id": _("到底在哪里"), "reason": _("怎么知道的")})
    await placing.correct_area(scope, matter_id, told)
    return "done=correct_area"


async def _reopen(scope: Scope, matter_id: UUID, fields: Fields) -> str:
    await ending.reopen(scope, matter_id, parse_form(ReasonGiven, fields, _REASON).reason)
    return "done=reopen"


async def _publish(scope: Scope, matter_id: UUID, fields: Fields, photo_ids: list[UUID]) -> str:
    told = parse_form(PublishForm, fields, {"public_text": _("给大家看的话"), "cleared": _("照片已看过")})
    wanted = PublishIn(public_text=told.public_text, attachment_ids=photo_ids, cleared=told.cleared)
    await showing.publish(scope, matter_id, wanted)
    return "done=publish"


def _moment(text: str | None) -> datetime | None:
    """The moment of a local time as the browser's field sends it. Raises Invalid for a day that no calendar has."""
    if text is None:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(why=_("时间")) from error
    return clock.at_local(local.date(), local.time())


_RUN: Mapping[str, Callable[[Scope, UUID, Fields], Awaitable[str]]] = {
    "dispatch": _dispatch, "hand_up": _hand_up, "hand_down": _hand_down, "take": _take, "give_up": _give_up,
    "return": _return, "confirm": _confirm, "rate": _rate, "call": _call, "ask": _ask, "postpone": _postpone,
    "refuse": _refuse, "merge": _merge, "reopen": _reopen, "correct_area": _correct_area,
}  # fmt: skip
