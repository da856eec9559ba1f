"""The HTTP API of the loop: one address for each verb on a matter. Each answers the matter as it is afterwards."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import Controller, Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER
from timebank.http.idempotency import Idempotency
from timebank.matters.loop import confirming, dispatching, ending, handling, placing, rating, showing, talking
from timebank.matters.schemas import (
    AreaIn,
    ConfirmIn,
    DispatchIn,
    FinishIn,
    FollowIn,
    MergeIn,
    PostponeIn,
    PublishIn,
    RatingIn,
    ReasonGiven,
    RefuseIn,
    ReturnIn,
    TextIn,
)

Caller = NamedDependency[Scope]
Once = NamedDependency[Idempotency]
Id = FromPath[UUID]


async def _done(once: Idempotency, caller: Scope, verb: Callable[[], Awaitable[object]]) -> Response[bytes]:
    """The verb's answer; a repetition with the same key gets the stored one."""
    return await once.answer(caller, verb, status=200, required=False)


class MatterVerbs(Controller):
    path = "/matters/{matter_id:uuid}"

    @post("/dispatch")
    async def dispatch(self, matter_id: Id, data: JSONBody[DispatchIn], caller: Caller, once: Once) -> Response[bytes]:
        """Send a matter to a unit, a team, a person or to all; with nothing named to the category's own."""
        return await _done(once, caller, lambda: dispatching.dispatch(caller, matter_id, data))

    @post("/hand-up")
    async def hand_up(self, matter_id: Id, data: JSONBody[ReasonGiven], caller: Caller, once: Once) -> Response[bytes]:
        """Hand a matter to the level above, with a reason."""
        return await _done(once, caller, lambda: dispatching.hand_up(caller, matter_id, data.reason))

    @post("/hand-down")
    async def hand_down(self, matter_id: Id, caller: Caller, once: Once) -> Response[bytes]:
        """Hand a matter to the level below, never below its category's."""
        return await _done(once, caller, lambda: dispatching.hand_down(caller, matter_id))

    @post("/area")
    async def correct_area(self, matter_id: Id, data: JSONBody[AreaIn], caller: Caller, once: Once) -> Response[bytes]:
        """Say where an open matter really is; its clock, its handler and what was earned stay."""
        return await _done(once, caller, lambda: placing.correct_area(caller, matter_id, data))

    @post("/take")
    async def take(self, matter_id: Id, caller: Caller, once: Once) -> Response[bytes]:
        """Take a matter: the first has it."""
        return await _done(once, caller, lambda: handling.take_matter(caller, matter_id))

    @post("/give-up")
    async def give_up(self, matter_id: Id, data: JSONBody[ReasonGiven], caller: Caller, once: Once) -> Response[bytes]:
        """Give up what one has taken; it waits again."""
        return await _done(once, caller, lambda: handling.give_up(caller, matter_id, data.reason))

    @post("/return")
    async def return_matter(
        self, matter_id: Id, data: JSONBody[ReturnIn], caller: Caller, once: Once
    ) -> Response[bytes]:
        """Send a matter back to its dispatcher; after the maximum the level above decides for good."""
        return await _done(once, caller, lambda: handling.return_matter(caller, matter_id, data))

    @post("/finish")
    async def finish(self, matter_id: Id, data: JSONBody[FinishIn], caller: Caller, once: Once) -> Response[bytes]:
        """Say that it is done. The reporter is asked whether it is solved."""
        return await _done(once, caller, lambda: handling.finish_matter(caller, matter_id, data))

    @post("/confirm")
    async def confirm(self, matter_id: Id, data: JSONBody[ConfirmIn], caller: Caller, once: Once) -> Response[bytes]:
        """Confirm, as no party, whether it is true; answers what it earns, or why nothing."""
        return await _done(once, caller, lambda: confirming.confirm_matter(caller, matter_id, data))

    @post("/postponement")
    async def postpone(self, matter_id: Id, data: JSONBody[PostponeIn], caller: Caller, once: Once) -> Response[bytes]:
        """Grant a later due date once; the reporter reads why."""
        return await _done(once, caller, lambda: talking.postpone(caller, matter_id, data))

    @post("/refuse")
    async def refuse(self, matter_id: Id, data: JSONBody[RefuseIn], caller: Caller, once: Once) -> Response[bytes]:
        """Say that nothing will be done, and why."""
        return await _done(once, caller, lambda: ending.refuse(caller, matter_id, data))

    @post("/merge")
    async def merge(self, matter_id: Id, data: JSONBody[MergeIn], caller: Caller, once: Once) -> Response[bytes]:
        """Merge a matter into an older one about the same."""
        return await _done(once, caller, lambda: ending.merge_matters(caller, matter_id, data.into))

    @post("/withdraw")
    async def withdraw(self, matter_id: Id, caller: Caller, once: Once) -> Response[bytes]:
        """Take back what one has reported, before it is dispatched."""
        return await _done(once, caller, lambda: ending.withdraw(caller, matter_id))

    @post("/reopen")
    async def reopen(self, matter_id: Id, data: JSONBody[ReasonGiven], caller: Caller, once: Once) -> Response[bytes]:
        """Open a closed matter again, within the days of the policy."""
        return await _done(once, caller, lambda: ending.reopen(caller, matter_id, data.reason))

    @post("/ask")
    async def ask(self, matter_id: Id, data: JSONBody[TextIn], caller: Caller, once: Once) -> Response[bytes]:
        """Ask the reporter something."""
        return await _done(once, caller, lambda: talking.ask_reporter(caller, matter_id, data.text))

    @post("/answer")
    async def answer(self, matter_id: Id, data: JSONBody[TextIn], caller: Caller, once: Once) -> Response[bytes]:
        """Answer the handler."""
        return await _done(once, caller, lambda: talking.answer_handler(caller, matter_id, data.text))

    @post("/publish")
    async def publish(self, matter_id: Id, data: JSONBody[PublishIn], caller: Caller, once: Once) -> Response[bytes]:
        """Let everybody read two sentences about it and see those of its photos that are named."""
        return await _done(once, caller, lambda: showing.publish(caller, matter_id, data))

    @post("/rating", opt=AT_THE_COUNTER)
    async def rate(self, matter_id: Id, data: JSONBody[RatingIn], caller: Caller, once: Once) -> Response[bytes]:
        """Say once of each finish whether it is solved; not solved, it is opened again."""
        return await _done(once, caller, lambda: rating.rate(caller, matter_id, data))

    @put("/follow")
    async def follow(self, matter_id: Id, data: JSONBody[FollowIn], caller: Caller, once: Once) -> Response[bytes]:
        """Say that one sees it too, or thanks for what was done."""
        return await _done(once, caller, lambda: showing.follow(caller, matter_id, data))
