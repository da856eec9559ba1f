"""The HTTP interface of earning rules."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, PathParameter

from timebank.agreements.schemas import Waiting
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.rules import catalogue
from timebank.rules.schemas import RuleIn, RuleKind, RuleOut

Code = Annotated[str, PathParameter(max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]


class Rules(Controller):
    path = "/rules"

    @get()
    async def rules(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], kind: FromQuery[RuleKind | None] = None,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[RuleOut]]:  # fmt: skip
        """The community's rules in the version that is in force."""
        return listed(request, await catalogue.rules(caller, kind=kind, limit=limit, cursor=cursor))

    @post(responses=WAITS)
    async def set_rule(self, data: JSONBody[RuleIn], caller: NamedDependency[Scope]) -> Response[RuleOut | Waiting]:
        """Add a rule or a new version of one; a looser one waits for a second person."""
        return done_or_waiting(await catalogue.set_rule(caller, data))

    @get("/{code:str}/versions")
    async def versions(self, code: Code, caller: NamedDependency[Scope]) -> list[RuleOut]:
        """Every version of a rule, newest first, including versions that are not in force yet."""
        return await catalogue.versions(caller, code)
