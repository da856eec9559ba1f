"""The panel's inbox: everything that waits for a decision, and many decided together."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.activities.offers import activities
from timebank.core.capability import InboxKind, resolve
from timebank.core.locale import _
from timebank.core.paging import Page, all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.inbox import deciding, kinds, reminding
from timebank.inbox.kinds import Asked, Decidable, Decision, Group, Item
from timebank.stations.stations import stations
from timebank.web.forms import chosen, parse_form
from timebank.web.pages import page, see_other

PAGE = 50
FIELDS = ("activity", "station", "batch", "since", "until", "flag")
ANY_DOUBT = "any"
FORM = {"kind": _("分类"), "decision": _("决定"), "note": _("原因")}
T = TypeVar("T")
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
        told, asked = parse_form(ManyForm, form, FORM), _asked(form)
        picked = await chosen(request, "id")
        await once.answer(
            caller,
            lambda: deciding.decide_many(
                caller, told.kind, told.decision, told.note, picked, asked, every=bool(form.get("every"))
            ),
        )
        return see_other(_address(told.kind, form))

    @post("/reminder")
    @shown_again(lambda request, caller: _inbox(request, caller))
    async def remind(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Remind those who may decide what the caller may not; at most once a day."""
        kind = (await _sent(request)).get("kind", "")
        told = await reminding.remind(caller, kind)
        return see_other("/admin/inbox?" + urlencode({"kind": kind, "reminded": told}))

    @get("/decisions/{decision_id:uuid}")
    async def decision(
        self, request: AnyRequest, caller: NamedDependency[Scope], decision_id: FromPath[UUID]
    ) -> Template:
        """One decision about many rows: how far it is, and what was refused and why."""
        return await _decision(request, caller, decision_id)

    @post("/decisions/{decision_id:uuid}/undo")
    @shown_again(lambda request, caller, decision_id: _decision(request, caller, decision_id))
    async def undo(self, caller: NamedDependency[Scope], decision_id: FromPath[UUID]) -> Redirect:
        """Undo it within its minute; nothing was posted."""
        undone = await deciding.undo(caller, decision_id)
        return see_other(f"/admin/inbox?kind={undone.noun}&undone={undone.chosen}")


async def _sent(request: AnyRequest) -> dict[str, str]:
    """The text fields of the form; of a repeated one the last."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


def _asked(given: Mapping[str, str]) -> Asked:
    """The filter in a query or form; what cannot be read is not asked for."""
    flag = given.get("flag", "")
    batch = _read(UUID, given.get("batch"))
    return Asked(
        activity_id=_read(UUID, given.get("activity")), station_id=_read(UUID, given.get("station")), batch_id=batch,
        since=_read(date, given.get("since")), until=_read(date, given.get("until")),
        flag=flag if flag and flag != ANY_DOUBT else None, doubtful=flag == ANY_DOUBT, single=batch is None,
    )  # fmt: skip


def _read(shape: type[T], text: str | None) -> T | None:
    try:
        return msgspec.convert(text, shape, strict=False) if text else None
    except msgspec.ValidationError:
        return None


def _address(noun: str, given: Mapping[str, str]) -> str:
    """The address of the list with the filter that was given."""
    return "/admin/inbox?" + urlencode({"kind": noun} | {name: given[name] for name in FIELDS if given.get(name)})


async def _inbox(request: AnyRequest, caller: Scope, noun: str = "", cursor: str | None = None) -> Template:
    caller.require_reader()
    language, given = language_of(request), dict(request.query_params)
    if request.method == "POST":
        given = await _sent(request)
        noun = given.get("kind", "")
    counted = {kind.noun: await _counted(caller, kind, Asked()) for kind in kinds.inbox_kinds()}
    shown = next((kind for kind in kinds.inbox_kinds() if kind.noun == noun), _first(counted))
    asked = _asked(given) if shown.filters else Asked()
    found: Page[Item] = await resolve(shown.listing)(caller, asked, PAGE, cursor, language)
    groups = await _groups(caller, shown, language)
    latest = await deciding.latest_decisions(caller)
    return page(
        request, caller, "inbox/inbox.html", kinds=kinds.inbox_kinds(), counted=counted, shown=shown, found=found,
        match=await _counted(caller, shown, asked), asked=asked, given=given, fields=FIELDS,
        groups=[group for group in groups if asked.batch_id in (None, group.batch_id)], batches=groups,
        places=await all_pages(partial(stations, caller)) if "station" in shown.filters else [],
        offers=await all_pages(partial(activities, caller)) if "activity" in shown.filters else [],
        flags=kinds.flags_of(shown), address=_address(shown.noun, given), cursor=cursor, latest=latest,
        pending=next((one for one in latest if one.mine and one.seconds), None), pages=partial(kinds.address_of, shown),
        filtered=any(given.get(name) for name in FIELDS), any_doubt=ANY_DOUBT,
        approved=_read(int, given.get("approved")), refused=_read(int, given.get("refused")),
        reminded=_read(int, given.get("reminded")), undone=_read(int, given.get("undone")),
    )  # fmt: skip


async def _counted(caller: Scope, kind: InboxKind, asked: Asked) -> Decidable:
    found: Decidable = await resolve(kind.decidable)(caller, asked)
    return found


def _first(counted: Mapping[str, Decidable]) -> InboxKind:
    """The first kind of which the caller may decide something, else the first of which something waits."""
    every = kinds.inbox_kinds()
    mine = (kind for kind in every if counted[kind.noun].mine)
    return next(mine, next((kind for kind in every if counted[kind.noun].waiting), every[0]))


async def _groups(caller: Scope, kind: InboxKind, language: str) -> list[Group]:
    made = kinds.batches()
    if not kind.groups or made is None:
        return []
    found: list[Group] = await resolve(kind.groups)(caller, language)
    names = await resolve(made.names)(caller, [group.batch_id for group in found])
    return [msgspec.structs.replace(group, name=names.get(group.batch_id, "—")) for group in found]


async def _decision(request: AnyRequest, caller: Scope, decision_id: UUID) -> Template:
    found = await deciding.find_decision(caller, decision_id)
    kind = kinds.kind_of(found.noun)
    refused = await deciding.refused_items(caller, decision_id)
    return page(
        request, caller, "inbox/decision.html", found=found, kind=kind,
        refused=[(kinds.address_of(kind, each.noun_id), each.text(language_of(request))) for each in refused],
    )  # fmt: skip
