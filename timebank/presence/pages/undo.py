"""The undo of what the keeper has just done at the counter: a check-in, a check-out."""

from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.presence.pages.counter import Form, choice_page, counter_page, named_station, stations_kept
from timebank.presence.undoing.visits import undo_check_in, undo_check_out
from timebank.web.pages import see_other


class CounterUndoPages(Controller):
    path = "/desk"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @post("/visits/{visit_id:uuid}/undo")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def undo(self, caller: NamedDependency[Scope], visit_id: FromPath[UUID], data: Form) -> Redirect:
        """Undo a check-in that the caller has just made."""
        await undo_check_in(caller, visit_id)
        return await back_to_the_counter(caller, data)

    @post("/check-outs/{visit_id:uuid}/undo")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def back_in(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], visit_id: FromPath[UUID], data: Form
    ) -> Redirect:
        """Undo a check-out that the caller has just made: the person is in again."""
        await once.answer(caller, lambda: undo_check_out(caller, visit_id))
        return await back_to_the_counter(caller, data)


async def back_to_the_counter(caller: Scope, data: Form) -> Redirect:
    """To the counter on which the form stands, which says that it was undone."""
    station = named_station(await stations_kept(caller), data.get("station_id"))
    return see_other(f"/desk?station={station.id}&done=undone")
