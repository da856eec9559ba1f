"""The HTTP API of photos. What has photos gives and lists them at its own addresses."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody

from timebank.core.scope import Scope
from timebank.http.idempotency import Idempotency
from timebank.http.uploads import PaintedUpload
from timebank.photos.clearing import paint_over, publish_photo, remove_photo
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep
from timebank.photos.painting import read_painting
from timebank.photos.schemas import PaintIn, PhotoOut, PublicationIn
from timebank.photos.seeing import read_photo


class Photos(Controller):
    path = "/photos"

    @post()
    async def add(self, data: MultipartBody[PaintedUpload], caller: NamedDependency[Scope]) -> PhotoOut:
        """Upload a photo, painted over where `boxes` says. Unless something has it within an hour it is deleted."""
        return await keep(caller, data.photo.file, SIDE_MAX, read_painting(data.boxes))

    @get("/{photo_id:uuid}", media_type="image/webp")
    async def photo(self, photo_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Response[bytes]:
        """A photo, for whoever may see what it is attached to."""
        content = await read_photo(caller, photo_id)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, no-store"})

    @delete("/{photo_id:uuid}")
    async def remove(self, photo_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Delete one's own photo that nothing has yet, or one of what still takes photos."""
        await remove_photo(caller, photo_id)

    @put("/{photo_id:uuid}/paint")
    async def paint(
        self, photo_id: FromPath[UUID], data: JSONBody[PaintIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Paint over what nobody must see. The answer is the photo that takes its place; no original is kept."""
        return await once.answer(caller, lambda: paint_over(caller, photo_id, data.boxes), status=200, required=False)

    @post("/{photo_id:uuid}/publication")
    async def publish(
        self, photo_id: FromPath[UUID], data: JSONBody[PublicationIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Let everybody of the community see an attached photo, once a person has looked at it."""
        return await once.answer(
            caller, lambda: publish_photo(caller, photo_id, cleared=data.cleared), status=200, required=False
        )
