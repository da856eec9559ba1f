"""The HTTP API of objections; each subject has an address of its own at which one objects to it."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.waiting import WAITS
from timebank.objections import deciding, objecting
from timebank.objections.schemas import ObjectionDecision, ObjectionOut


class Objections(Controller):
    path = "/objections"

    @get()
    async def list_objections(
        self, request: AnyRequest, caller: NamedDependency[Scope], undecided: FromQuery[bool] = False,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[ObjectionOut]]:  # fmt: skip
        """The community's objections, oldest first, without the names of those who raised them."""
        return listed(request, await objecting.list_objections(caller, undecided=undecided, limit=limit, cursor=cursor))

    @post("/{objection_id:uuid}/decision", responses=WAITS)
    async def decide(
        self, objection_id: FromPath[UUID], data: JSONBody[ObjectionDecision], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Decide an objection; restoring many points waits for a second person."""
        return await once.answer(
            caller,
            lambda: deciding.decide_objection(caller, objection_id, data.upheld, data.note),
            status=200,
            required=False,
        )
