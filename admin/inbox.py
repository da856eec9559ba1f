"""The panel's inbox: everything that waits for a decision, and many decided together."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from msgspec import Meta

from admin.inbox_rows import ANY_DOUBT, FIELDS, PAGE, as_value, asked_in, list_address, query_of
from timebank.activities.offers import activities
from timebank.core import database
from timebank.core.capability import InboxKind, resolve
from timebank.core.database import transaction
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.inbox import deciding, kinds, reminding
from timebank.inbox.kinds import Asked, Decidable, Decision, Group
from timebank.rules.catalogue import rules
from timebank.stations.stations import stations
from timebank.web.forms import chosen, parse_form
from timebank.web.pages import page, see_other

FORM = {"kind": _("分类"), "decision": _("决定"), "note": _("原因")}
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]


class ManyForm(msgspec.Struct):
    """What is decided about the chosen rows, with one reason for all."""

    kind: str
    decision: Decision
    note: Text = ""


class PanelInboxPages(Controller):
    path = "/admin/inbox"
    include_in_schema = False

    @get()
    async def inbox(
        self,
        request: AnyRequest,
        caller: NamedDependency[Scope],
        kind: FromQuery[str] = "",
        cursor: Cursor = None,
    ) -> Template:
        """What waits, by kind; flagged ones first, then the oldest."""
        return await _inbox(request, caller, kind, cursor)

    @post()
    @shown_again(lambda request, caller: _inbox(request, caller))
    async def decide(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Redirect:
        """Approve or return the chosen rows, or all that match; for a minute it can be undone."""
        form = await _sent(request)
        told, asked = parse_form(ManyForm, form, FORM), asked_in(form)
        picked = await chosen(request, "id")
        await once.answer(
            caller,
            lambda: deciding.decide_many(
                caller, told.kind, told.decision, told.note, picked, asked, every=bool(form.get("every"))
            ),
        )
        return see_other(list_address(told.kind, form))

    @post("/reminder")
    @shown_again(lambda request, caller: _inbox(request, caller))
    async def remind(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Remind those who may decide what the caller may not; at most once a day."""
        kind = (await _sent(request)).get("kind", "")
        told = await reminding.remind(caller, kind)
        return see_other("/admin/inbox?" + urlencode({"kind": kind, "reminded": told}))

    @get("/decisions/{decision_id:uuid}")
    async def decision(
        self, request: AnyRequest, caller: NamedDependency[Scope], decision_id: FromPath[UUID], cursor: Cursor = None
    ) -> Template:
        """One decision about many rows: how far it is, and what was refused and why."""
        return await _decision(request, caller, decision_id, cursor)

    @post("/decisions/{decision_id:uuid}/undo")
    @shown_again(lambda request, caller, decision_id: _decision(request, caller, decision_id))
    async def undo(self, request: AnyRequest, caller: NamedDependency[Scope], decision_id: FromPath[UUID]) -> Redirect:
        """Undo it within its minute; nothing was posted. The list keeps its filter."""
        form = await _sent(request)
        undone = await deciding.undo(caller, decision_id)
        return see_other(f"{list_address(undone.noun, form)}&undone={undone.chosen}")


async def _sent(request: AnyRequest) -> dict[str, str]:
    """The text fields of the form; of a repeated one the last."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


async def _inbox(request: AnyRequest, caller: Scope, noun: str = "", cursor: str | None = None) -> Template:
    caller.require_reader()
    language, given = language_of(request), dict(request.query_params)
    if request.method == "POST":
        given = await _sent(request)
        noun = given.get("kind", "")
    async with transaction(caller):
        async with database.gathering() as reads:
            counting = {kind.noun: reads.start(kinds.decidable(caller, kind)) for kind in kinds.inbox_kinds(caller)}
            decided = reads.start(deciding.latest_decisions(caller))
        counted = {one: task.result() for one, task in counting.items()}
        shown = next((kind for kind in kinds.inbox_kinds(caller) if kind.noun == noun), _first(caller, counted))
        asked = asked_in(given) if shown.filters else Asked()
        async with database.gathering() as reads:
            listed = reads.start(kinds.listing(caller, shown, asked, PAGE, cursor, language))
            grouped = reads.start(_groups(caller, shown, language))
            matching = reads.start(_matching(caller, shown, asked, counted[shown.noun]))
    latest, groups = decided.result(), grouped.result()
    return page(
        request, caller, "inbox/inbox.html", kinds=kinds.inbox_kinds(caller), counted=counted, shown=shown,
        found=listed.result(), match=matching.result(), asked=asked, given=given, fields=FIELDS,
        groups=[group for group in groups if asked.batch_id in (None, group.batch_id)], batches=groups,
        places=await all_pages(partial(stations, caller)) if "station" in shown.filters else [],
        offers=await all_pages(partial(activities, caller)) if "activity" in shown.filters else [],
        items=await all_pages(partial(rules, caller, kind="deed")) if "rule" in shown.filters else [],
        flags=kinds.flags_of(shown), address=list_address(shown.noun, given),
        query=query_of(given, cursor), cursor=cursor, latest=latest,
        pending=next((one for one in latest if one.mine and one.seconds), None), pages=partial(kinds.address_of, shown),
        filtered=any(given.get(name) for name in FIELDS), any_doubt=ANY_DOUBT,
        approved=as_value(int, given.get("approved")), refused=as_value(int, given.get("refused")),
        reminded=as_value(int, given.get("reminded")), undone=as_value(int, given.get("undone")),
    )  # fmt: skip


async def _matching(caller: Scope, kind: InboxKind, asked: Asked, whole: Decidable) -> Decidable:
    return whole if asked == Asked() else await kinds.decidable(caller, kind, asked)


def _first(caller: Scope, counted: Mapping[str, Decidable]) -> InboxKind:
    """The first kind of which the caller may decide something, else the first of which something waits."""
    every = kinds.inbox_kinds(caller)
    mine = (kind for kind in every if counted[kind.noun].mine)
    return next(mine, next((kind for kind in every if counted[kind.noun].waiting), every[0]))


async def _groups(caller: Scope, kind: InboxKind, language: str) -> list[Group]:
    made = kinds.batches()
    if not kind.groups or made is None:
        return []
    found: list[Group] = await resolve(kind.groups)(caller, language)
    names = await resolve(made.names)(caller, [group.batch_id for group in found])
    return [msgspec.structs.replace(group, name=names.get(group.batch_id, "—")) for group in found]


async def _decision(request: AnyRequest, caller: Scope, decision_id: UUID, cursor: str | None = None) -> Template:
    found = await deciding.find_decision(caller, decision_id)
    kind = kinds.kind_of(found.noun)
    refused = await deciding.refused_items(caller, decision_id, cursor=cursor)
    return page(
        request, caller, "inbox/decision.html", found=found, kind=kind,
        refused=[(kinds.address_of(kind, each.noun_id), each.text(language_of(request))) for each in refused.items],
        next=refused.next, cursor=cursor,
    )  # fmt: skip
