"""A resident's pages of deeds: file one, follow its status, answer as a witness, object to a reversal."""

from datetime import timedelta
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.capability import origin_page
from timebank.core.locale import _
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.filing.filing import DAYS_BACK_MAX, file_deed
from timebank.deeds.filing.options import filing_options
from timebank.deeds.photos import adding_refusal
from timebank.deeds.reading import find_deed, list_deeds
from timebank.deeds.schemas import DeedIn, WitnessIn
from timebank.deeds.witness import answer_as_witness
from timebank.deeds.words import STATUS
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.http.uploads import PaintedUpload, with_photo
from timebank.objections.objecting import object_to
from timebank.objections.schemas import ObjectionIn
from timebank.photos.attaching import AT_ONE_STAGE_MAX, attach
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep, keep_sent
from timebank.photos.painting import read_painting
from timebank.photos.schemas import AttachmentOut
from timebank.photos.seeing import photos_attached
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other

FIELDS = {
    "rule_code": _("什么事"),
    "occurred_on": _("哪天"),
    "note": _("怎么做的"),
    "area_id": _("在哪里"),
    "person_id": _("谁做的"),
    "witness_id": _("见证人"),
}
REASON = {"reason": _("为什么")}
WITNESS = {"confirms": _("是不是这样"), "note": _("说明")}


class DeedPages(Controller):
    path = "/deeds"
    include_in_schema = False

    @get()
    async def deeds(
        self, request: AnyRequest, caller: NamedDependency[Scope], of: FromQuery[str] = "own", cursor: Cursor = None,
        done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """The reader's own deeds, or for heads and grid workers those of their area."""
        holds = caller.has(*HEADS, Role.grid_worker)
        found = await list_deeds(caller, own=of != "area" or not holds, limit=30, cursor=cursor)
        return page(
            request, caller, "member/deeds.html", items=found.items, next=found.next, first=cursor is None, of=of,
            holds=holds, done=done, words=STATUS,
        )  # fmt: skip

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for one deed."""
        return await _form(request, caller)

    @post("/new")
    @shown_again(lambda request, caller: _form(request, caller))
    async def file(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Redirect:
        """File a deed, with a photo if one was chosen. A refusal is shown above the form, which keeps the text."""
        fields, photo = await with_photo(request)
        wanted = parse_form(DeedIn, fields, FIELDS)
        kept = await keep_sent(caller, fields, photo)
        wanted = msgspec.structs.replace(wanted, photo_ids=kept)
        await once.answer(caller, lambda: file_deed(caller, wanted), required=False)
        return see_other("/deeds?done=filed")

    @get("/{deed_id:uuid}")
    async def deed(
        self, request: AnyRequest, deed_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One deed and its status."""
        return await _deed(request, caller, deed_id, done=done)

    @post("/{deed_id:uuid}/photos")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def add_photo(
        self, deed_id: FromPath[UUID], data: MultipartBody[PaintedUpload], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Add a photo that proves the deed, then show it for painting over."""
        painting = read_painting(data.boxes)
        kept = await keep(caller, data.photo.file, SIDE_MAX, painting)
        answer = await once.answer(caller, lambda: attach(caller, "deed", deed_id, kept.id, "proof"), required=False)
        photo_id = decode_answer(answer, AttachmentOut).photo_id
        return see_other(f"/photos/{photo_id}" + ("?done=painted" if painting else ""))

    @post("/{deed_id:uuid}/witness")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def witness(
        self, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """Answer as the witness whether the deed was done."""
        said = parse_form(WitnessIn, data, WITNESS)
        await answer_as_witness(caller, deed_id, said.confirms, said.note)
        return see_other(f"/deeds/{deed_id}?done=witnessed")

    @post("/{deed_id:uuid}/objection")
    @shown_again(lambda request, deed_id, caller: _deed(request, caller, deed_id))
    async def object_to(
        self, deed_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        """Object to the reversal of the reader's own deed."""
        await object_to(caller, "deed", deed_id, parse_form(ObjectionIn, data, REASON).reason)
        return see_other(f"/deeds/{deed_id}?done=objected")


async def _form(request: AnyRequest, caller: Scope) -> Template:
    today = clock.local_day()
    return page(
        request, caller, "member/deed_form.html",
        options=await filing_options(caller),
        today=today, first_day=today - timedelta(days=DAYS_BACK_MAX),
    )  # fmt: skip


async def _deed(request: AnyRequest, caller: Scope, deed_id: UUID, *, done: str = "") -> Template:
    deed = await find_deed(caller, deed_id)
    photos = await photos_attached(caller, "deed", deed_id)
    return page(
        request, caller, "member/deed.html", deed=deed, done=done,
        words=STATUS, is_own=caller.is_own(deed.person_id), photos=photos,
        adds_photos=len(photos) < AT_ONE_STAGE_MAX and await adding_refusal(caller, deed_id) is None,
        origin=origin_page(deed.source_kind, deed.source_id),
        is_witness=deed.witness_id is not None and caller.is_own(deed.witness_id),
    )  # fmt: skip
