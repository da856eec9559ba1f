"""The HTTP API of deeds, and of the public board, which needs no sign-in."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.deeds import board, credit, reading, review
from timebank.deeds.filing import filing
from timebank.deeds.schemas import (
    BoardItem,
    DeedIn,
    DeedOut,
    DeedStatus,
    ReasonIn,
    ReviewIn,
    WitnessIn,
)
from timebank.deeds.witness import answer_as_witness
from timebank.http.callers import AnyRequest, provide_visitor
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.http.waiting import WAITS
from timebank.objections import objecting
from timebank.objections.schemas import ObjectionIn
from timebank.photos.attaching import attach
from timebank.photos.schemas import AttachIn, AttachmentOut
from timebank.photos.seeing import photos_attached


class Deeds(Controller):
    path = "/deeds"

    @get()
    async def list_deeds(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[DeedStatus | None] = None,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[DeedOut]]:  # fmt: skip
        """Deeds that the caller may see, newest first."""
        language = language_of(request)
        found = await reading.list_deeds_out(caller, status=status, limit=limit, cursor=cursor, language=language)
        return listed(request, found)

    @post()
    async def file(
        self, data: JSONBody[DeedIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """File a deed; its points are credited after review and the public notice period."""
        caller = caller.acting_as(data.person_id)
        return await once.answer(caller, lambda: filing.file_deed(caller, data), required=False)

    @get("/{deed_id:uuid}")
    async def deed(self, request: AnyRequest, deed_id: FromPath[UUID], caller: NamedDependency[Scope]) -> DeedOut:
        """One deed with its status."""
        return DeedOut.of(await reading.find_deed(caller, deed_id), language_of(request))

    @get("/{deed_id:uuid}/photos")
    async def photos(self, deed_id: FromPath[UUID], caller: NamedDependency[Scope]) -> list[AttachmentOut]:
        """The photos that prove a deed, for whoever may see it."""
        return await photos_attached(caller, "deed", deed_id)

    @post("/{deed_id:uuid}/photos")
    async def add_photo(
        self, deed_id: FromPath[UUID], data: JSONBody[AttachIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Attach an uploaded photo to a deed of one's own filing, at most three, until it is decided."""
        return await once.answer(
            caller, lambda: attach(caller, "deed", deed_id, data.photo_id, "proof"), required=False
        )

    @post("/{deed_id:uuid}/witness", status_code=200)
    async def witness(
        self, deed_id: FromPath[UUID], data: JSONBody[WitnessIn], caller: NamedDependency[Scope]
    ) -> DeedOut:
        """Answer as the witness whether a deed was as it was filed; until then it is not credited."""
        return await answer_as_witness(caller, deed_id, data.confirms, data.note)

    @post("/{deed_id:uuid}/review", responses=WAITS)
    async def review(
        self, deed_id: FromPath[UUID], data: JSONBody[ReviewIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Approve a filed deed for the public board, where many points wait for a second person, or reject it."""
        return await once.answer(
            caller,
            lambda: review.review_deed(caller, deed_id, data.decision, data.note, witness_asked=data.witness_asked),
            status=200,
            required=False,
        )

    @post("/{deed_id:uuid}/reversal")
    async def reverse(
        self, deed_id: FromPath[UUID], data: JSONBody[ReasonIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Reverse the credit of a deed because of an error or a fraud."""
        return await once.answer(caller, lambda: credit.reverse_deed(caller, deed_id, data.reason), status=200)

    @post("/{deed_id:uuid}/objections")
    async def object_to(
        self, deed_id: FromPath[UUID], data: JSONBody[ObjectionIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Object to a deed on the public board, once per resident; staff may object in a resident's name."""
        return await once.answer(
            caller, lambda: objecting.object_to(caller, "deed", deed_id, data.reason, data.person_id), required=False
        )


@get("/board")
async def read_board(
    request: AnyRequest, community: Annotated[UUID | None, QueryParameter(name="community_id")] = None,
    limit: Limit = 50, cursor: Cursor = None,
) -> Response[Page[BoardItem]]:  # fmt: skip
    """The items on a community's public board, without sign-in. Without community_id it is the caller's community."""
    if community is None:
        caller = await provide_visitor(request)
        community = caller.community_id if caller else await board.only_board()
    return listed(request, await board.list_board_items(community, limit=limit, cursor=cursor))
