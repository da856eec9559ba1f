"""The page of one photo: what nobody must see is painted over by finger, and a person publishes it."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.photos.clearing import may_paint, may_publish, may_remove, paint_over, publish_photo, remove_photo
from timebank.photos.painting import read_boxes
from timebank.photos.schemas import PhotoOut, PublicationIn
from timebank.photos.seeing import find_photo, page_of
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other

STATEMENT = {"cleared": _("没有人脸、车牌、门牌")}


class PhotoPages(Controller):
    path = "/photos"
    include_in_schema = False

    @get("/{photo_id:uuid}")
    async def photo(
        self, request: AnyRequest, photo_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One photo, for whoever may see it."""
        return await _photo(request, caller, photo_id, done=done)

    @post("/{photo_id:uuid}/paint")
    @shown_again(lambda request, photo_id, caller: _photo(request, caller, photo_id))
    async def paint(
        self, photo_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Paint over what was marked. Without a mark, as from a browser without scripts, the photo stays as it is."""
        marked = data.get("boxes", "").strip()
        if not marked:
            return see_other(page_of(await find_photo(caller, photo_id)))
        boxes = read_boxes(marked)
        answer = await once.answer(caller, lambda: paint_over(caller, photo_id, boxes), required=False)
        return see_other(f"/photos/{decode_answer(answer, PhotoOut).id}?done=painted")

    @post("/{photo_id:uuid}/removal")
    @shown_again(lambda request, photo_id, caller: _photo(request, caller, photo_id))
    async def remove(self, photo_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Delete the photo, then show what had it."""
        photo = await find_photo(caller, photo_id)
        await remove_photo(caller, photo_id)
        return see_other(page_of(photo) if photo.noun else "/")

    @post("/{photo_id:uuid}/publication")
    @shown_again(lambda request, photo_id, caller: _photo(request, caller, photo_id))
    async def publish(
        self, photo_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]], caller: NamedDependency[Scope]
    ) -> Redirect:
        """Publish the photo, once the box is ticked."""
        told = parse_form(PublicationIn, {"cleared": "false"} | data, STATEMENT)
        await publish_photo(caller, photo_id, cleared=told.cleared)
        return see_other(f"/photos/{photo_id}?done=published")


async def _photo(request: AnyRequest, caller: Scope, photo_id: UUID, *, done: str = "") -> Template:
    photo = await find_photo(caller, photo_id)
    paints, publishes = await may_paint(caller, photo), await may_publish(caller, photo)
    # Whoever sees it because it is published may not see the page of what has it.
    back = "/board" if photo.published_at and not (paints or publishes) else page_of(photo)
    return page(
        request, caller, "member/photo.html", photo=photo, done=done, paints=paints, publishes=publishes, back=back,
        removes=await may_remove(caller, photo),
    )  # fmt: skip
