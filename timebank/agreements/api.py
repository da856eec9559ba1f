"""The HTTP interface of changes that wait for a second person."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.agreements.schemas import AgreementOut, DecisionIn, Status, Unconfirmed
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.overview import agreements, openers
from timebank.overview.openers import Resting


class Agreements(Controller):
    path = "/agreements"

    @get()
    async def waiting(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[Status] = "waiting",
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[AgreementOut]]:  # fmt: skip
        """The community's changes of one status, newest first, with the people who may decide."""
        found = await agreements.agreements(
            caller, status=status, limit=limit, cursor=cursor, language=language_of(request)
        )
        return listed(request, found)

    @get("/{agreement_id:uuid}")
    async def one(
        self, request: AnyRequest, agreement_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> AgreementOut:
        """One change that waits, or waited, for a second person."""
        return await agreements.agreement(caller, agreement_id, language=language_of(request))

    @post("/{agreement_id:uuid}/decision", status_code=200)
    async def decide(
        self, agreement_id: FromPath[UUID], data: JSONBody[DecisionIn], caller: NamedDependency[Scope]
    ) -> AgreementOut:
        """Agree (the change is carried out), refuse with a reason, or withdraw. A repeated decision changes nothing."""
        return await agreements.decide_change(caller, agreement_id, data.decision, data.note)

    @get("/logins")
    async def logins(self, caller: NamedDependency[Scope]) -> list[Unconfirmed]:
        """Staff whose login was opened by a sign-in code and has not been confirmed by another person since."""
        return await openers.unconfirmed(caller)

    @get("/resting")
    async def resting(
        self, request: AnyRequest, caller: NamedDependency[Scope], limit: Limit = 50, cursor: Cursor = None
    ) -> Response[Page[Resting]]:
        """People whose login cannot spend until an uninvolved person confirms them or the waiting time is over."""
        return listed(request, await openers.resting(caller, limit=limit, cursor=cursor))

    @post("/logins/{person_id:uuid}", status_code=204)
    async def confirm(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Confirm that a login is in its owner's hands: its acts no longer count as those of the giver of the code."""
        await openers.confirm_login(caller, person_id)
