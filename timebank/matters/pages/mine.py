"""A resident's matters: what they have said, what they have taken, what they may take, and one matter as a timeline."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.http.uploads import with_photo
from timebank.matters.helped import matter_helped
from timebank.matters.loop import ending, handling, rating, showing, talking
from timebank.matters.pages.shelf import shelf_of
from timebank.matters.pages.timeline import TONES, next_in_words, open_question, timeline
from timebank.matters.reading.listing import community_of_served, list_matters
from timebank.matters.reading.one import find_matter, seen_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import (
    FinishIn,
    FollowIn,
    MattersAsked,
    RatingIn,
    ReasonGiven,
    ReturnIn,
    Said,
    Stars,
    TextIn,
    Words,
)
from timebank.photos.attaching import AT_ONE_STAGE_MAX, attach
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep, keep_sent
from timebank.photos.painting import read_painting
from timebank.web.forms import parse_form
from timebank.web.local_times import LocalTime, moment_of
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
Id = FromPath[UUID]
LISTS = {
    "own": MattersAsked(mine=True), "taken": MattersAsked(assignee="me"), "offered": MattersAsked(offered=True),
}  # fmt: skip
SAID = {"text": _("说一句")}
WHY = {"reason": _("原因"), "suggestion": _("该谁来办")}
RATED = {"solved": _("办好了吗"), "stars": _("几颗星"), "words": _("想说的话")}
FOLLOWED = {"kind": _("关注")}
DONE = {"result": _("做了什么"), "day": _("哪天"), "begin": _("从几点"), "end": _("到几点")}


class RatedForm(msgspec.Struct, kw_only=True):
    """The answer to 办好了吗."""

    solved: bool
    stars: Stars
    words: Words | None = None


OF_RESIDENTS = frozenset({"rate", "answer", "withdraw"})
"""What only who has spoken does; whoever may do one of these is here as a resident."""


class DoneForm(msgspec.Struct, kw_only=True):
    """What was done; an order also says when."""

    result: Said = ""
    day: date | None = None
    begin: LocalTime | None = None
    end: LocalTime | None = None

    def finished(self) -> FinishIn:
        if self.day is None or self.begin is None or self.end is None:
            return FinishIn(result=self.result)
        return FinishIn(
            result=self.result, started_at=moment_of(self.day, self.begin), ended_at=moment_of(self.day, self.end)
        )


class MatterPages(Controller):
    path = "/matters"
    include_in_schema = False

    @get()
    async def matters(
        self, request: AnyRequest, caller: NamedDependency[Scope],
        of: FromQuery[Literal["own", "taken", "offered"]] = "own", cursor: Cursor = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """What the reader has said, what they handle, or what they may take."""
        found = await list_matters(caller, LISTS[of], limit=30, cursor=cursor, language=language_of(request))
        return page(
            request, caller, "member/matters.html", items=found.items, next=found.next, first=cursor is None, of=of,
            tones=TONES, done=done, shelf=shelf_of(caller) if of == "own" else None,
        )  # fmt: skip

    @get("/{matter_id:uuid}")
    async def matter(
        self, request: AnyRequest, caller: NamedDependency[Scope], matter_id: Id, done: FromQuery[str] = ""
    ) -> Template | Redirect:
        """One matter as its reader may see it, with what they may do now; who works with it is led to their desk."""
        is_contact = any(grant.unit_id for grant in caller.grants)
        served = await community_of_served(caller, matter_id) if is_contact else None
        if served is not None:
            return see_other(f"/unit/{served}/{matter_id}")
        matter = await find_matter(caller, matter_id, language_of(request))
        if matter.seen_as == "staff" and OF_RESIDENTS.isdisjoint(matter.may):
            return see_other(f"/admin/matters/{matter_id}" if caller.reads_all else f"/worker/matters/{matter_id}")
        return await matter_page(request, caller, matter_id, done=done, found=matter)

    @get("/helped/{helper_id:uuid}")
    async def helped(self, caller: NamedDependency[Scope], helper_id: FromPath[UUID]) -> Redirect:
        """The matter that this help was for; where its minutes lead."""
        matter_id = await matter_helped(caller, helper_id)
        await seen_matter(caller, matter_id)
        return see_other(f"/matters/{matter_id}")

    @post("/{matter_id:uuid}/answer")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def answer(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Answer who handles it."""
        await talking.answer_handler(caller, matter_id, parse_form(TextIn, data, SAID).text)
        return _back(matter_id, "answered")

    @post("/{matter_id:uuid}/question")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def ask(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Ask who has spoken."""
        await talking.ask_reporter(caller, matter_id, parse_form(TextIn, data, SAID).text)
        return _back(matter_id, "asked")

    @post("/{matter_id:uuid}/rating")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def rate(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Say whether it is solved, with stars and words."""
        said = parse_form(RatedForm, data, RATED)
        await rating.rate(caller, matter_id, RatingIn(solved=said.solved, stars=said.stars, words=said.words))
        return _back(matter_id, "rated" if said.solved else "reopened")

    @post("/{matter_id:uuid}/withdrawal")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def withdraw(self, caller: NamedDependency[Scope], matter_id: Id) -> Redirect:
        """Take it back, before it is dispatched."""
        await ending.withdraw(caller, matter_id)
        return _back(matter_id, "withdrawn")

    @post("/{matter_id:uuid}/reopening")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def reopen(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Say that what was closed is not solved."""
        await ending.reopen(caller, matter_id, parse_form(ReasonGiven, data, WHY).reason)
        return _back(matter_id, "reopened")

    @post("/{matter_id:uuid}/follow")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def follow(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Say that one sees it too, or thanks."""
        said = parse_form(FollowIn, data, FOLLOWED)
        await showing.follow(caller, matter_id, said)
        return _back(matter_id, "followed" if said.kind == "same" else "thanked")

    @post("/{matter_id:uuid}/take")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def take(self, caller: NamedDependency[Scope], matter_id: Id) -> Redirect:
        """Take it: the first has it."""
        await handling.take_matter(caller, matter_id)
        return _back(matter_id, "taken")

    @post("/{matter_id:uuid}/giving-up")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def give_up(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Give up what one has taken."""
        await handling.give_up(caller, matter_id, parse_form(ReasonGiven, data, WHY).reason)
        return see_other("/matters?of=taken&done=given_up")

    @post("/{matter_id:uuid}/return")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def send_back(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Send it back to who has dispatched it, for a unit or team."""
        await handling.return_matter(caller, matter_id, parse_form(ReturnIn, data, WHY))
        return see_other("/matters?of=taken&done=returned")

    @post("/{matter_id:uuid}/finish")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def finish(
        self, request: AnyRequest, caller: NamedDependency[Scope], matter_id: Id, once: NamedDependency[Idempotency]
    ) -> Redirect:
        """Say that it is done, with a picture if one was chosen; an order also from when to when."""
        fields, photo = await with_photo(request)
        wanted = parse_form(DoneForm, fields, DONE).finished()
        kept = await keep_sent(caller, fields, photo)
        wanted = msgspec.structs.replace(wanted, photo_ids=kept)
        await once.answer(caller, lambda: handling.finish_matter(caller, matter_id, wanted), status=200, required=False)
        return _back(matter_id, "finished")

    @post("/{matter_id:uuid}/photos")
    @shown_again(lambda request, caller, matter_id: matter_page(request, caller, matter_id))
    async def add_photo(
        self, request: AnyRequest, caller: NamedDependency[Scope], matter_id: Id, once: NamedDependency[Idempotency]
    ) -> Redirect:
        """Add a photo, before by who has spoken and after by who handles it, then show it for painting over."""
        fields, photo = await with_photo(request)
        painting = read_painting(fields.get("boxes", ""))
        matter = await find_matter(caller, matter_id)
        kept = await keep(caller, photo, SIDE_MAX, painting)
        stage: Literal["before", "after"] = "after" if matter.seen_as == "handler" else "before"
        await once.answer(caller, lambda: attach(caller, "matter", matter_id, kept.id, stage), required=False)
        return see_other(f"/photos/{kept.id}" + ("?done=painted" if painting else ""))


def _back(matter_id: UUID, done: str) -> Redirect:
    return see_other(f"/matters/{matter_id}?done={done}")


async def matter_page(
    request: AnyRequest, caller: Scope, matter_id: UUID, *, done: str = "", found: MatterOut | None = None
) -> Template:
    """The page of one matter, which may have been read already."""
    language = language_of(request)
    matter = found or await find_matter(caller, matter_id, language)
    parts = matter.seen_as in ("own", "handler")
    stage = "after" if matter.seen_as == "handler" else "before"
    held = sum(photo.stage == stage for photo in matter.photos)
    takes = parts and matter.status in ("received", "dispatched", "accepted", "done") and matter.said is not None
    return page(
        request, caller, "member/matter.html", matter=matter, lines=timeline(matter, language), done=done,
        tones=TONES, coming=next_in_words(matter, language), question=open_question(matter), today=clock.local_day(),
        adds_photos=takes and held < AT_ONE_STAGE_MAX,
    )  # fmt: skip
