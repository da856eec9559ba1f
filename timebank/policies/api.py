"""Policies over HTTP."""

from typing import Annotated

from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from timebank.agreements.schemas import Waiting
from timebank.core.scope import Scope
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.policies import values
from timebank.policies.schemas import PolicyIn, PolicyOut

Name = Annotated[str, PathParameter(max_length=40)]


class Policies(Controller):
    path = "/policies"

    @get()
    async def list_policies(self, caller: NamedDependency[Scope]) -> list[PolicyOut]:
        """Every policy of the community with the value in force."""
        return await values.policies_in_words(caller)

    @put("/{name:str}", responses=WAITS)
    async def change(
        self, name: Name, data: JSONBody[PolicyIn], caller: NamedDependency[Scope]
    ) -> Response[PolicyOut | Waiting]:
        """Set one policy, in force at once; a looser value waits for a second person."""
        waiting = await values.change_policy(caller, name, data.value)
        if waiting is not None:
            return done_or_waiting(waiting)
        return done_or_waiting(
            next(policy for policy in await values.policies_in_words(caller) if policy.name == name), 200
        )
