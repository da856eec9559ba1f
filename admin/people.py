"""The panel's pages of residents: find, add, show, correct and block them."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.person_page import STATUS, area_options, person_on_paper, person_page
from timebank.access.registration import amend, register
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.people.directory import count_people, list_people, open_person
from timebank.people.schemas import Correction, Enrolment, Status
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, Choice, length_of, typed_words, without_words
from timebank.web.pages import page, see_other, waits_or

Form = URLEncodedBody[dict[str, str]]

FIELDS = {
    "name": _("姓名"), "sex": _("性别"), "born_on": _("出生日期"), "identity": _("身份证号"), "phone": _("手机号"),
    "area_id": _("楼栋单元"), "room": _("房号"), "head_name": _("户主姓名"), "relation": _("与户主关系"),
}  # fmt: skip
STANDINGS = tuple(STATUS.items())
STATUSES: tuple[Status, ...] = ("active", "blocked", "left")
REASON = {"reason": _("理由")}


class PanelPeoplePages(Controller):
    path = "/admin/people"
    include_in_schema = False

    @get()
    async def people(
        self, request: AnyRequest, caller: NamedDependency[Scope], area_id: FromQuery[str] = "",
        status: FromQuery[str] = "", cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The residents that the caller may see, by pinyin."""
        return await _people_page(request, caller, area_id=area_id, status=status, cursor=cursor)

    @post("/search")
    @shown_again(lambda request, caller: _people_page(request, caller))
    async def search(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template | Redirect:
        """The residents of this name, pinyin or number."""
        if not typed_words(data):
            return see_other(without_words("/admin/people", data, ("area_id", "status")))
        return await _people_page(
            request, caller, typed_words(data), area_id=data.get("area_id", ""), status=data.get("status", ""),
            cursor=data.get("cursor") or None,
        )  # fmt: skip

    @get("/new")
    async def ask(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _form_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _form_page(request, caller))
    async def enrol(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Add a person, then show their page."""
        person = await register(caller, parse_form(Enrolment, data, FIELDS))
        return see_other(f"/admin/people/{person.id}?done=enrolled")

    @get("/{person_id:uuid}")
    async def one(
        self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope],
        part: FromQuery[str] = "", cursor: Cursor = None, done: FromQuery[str | None] = None,
        paper: FromQuery[str] = "",
    ) -> Template | Redirect:  # fmt: skip
        """The page of a person, at one of its tabs, or as one sheet to print.

        A merged record redirects to the record it was merged into.
        """
        if paper:
            shown = await person_on_paper(request, caller, person_id)
        else:
            shown = await person_page(request, caller, person_id, part=part, cursor=cursor, done=done)
        kept = shown.context["seen"].person.merged_into
        return see_other(f"/admin/people/{kept}?done=led") if kept else shown

    @get("/{person_id:uuid}/correction")
    async def ask_correction(
        self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Template:
        return await _form_page(request, caller, person_id)

    @post("/{person_id:uuid}/correction")
    @shown_again(lambda request, person_id, caller: _form_page(request, caller, person_id))
    async def correct(self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Correct a person's data. A blank identity number stays as it is, because the page never shows it in full."""
        caller.require_admin()
        sent = {name: text for name, text in data.items() if text.strip() or name in ("phone", "relation")}
        made = await amend(caller, person_id, parse_form(Correction, sent, FIELDS | REASON, empties=True))
        return waits_or(made, f"/admin/people/{person_id}?part=record&done=corrected")

    @post("/{person_id:uuid}/status")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="record"))
    async def set_status(self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Block a person, mark them as having left, or make them active again."""
        caller.require_reader()
        made = await amend(caller, person_id, parse_form(Correction, data, {"status": _("状态")} | REASON))
        return waits_or(made, f"/admin/people/{person_id}?part=record&done=status")


async def _people_page(
    request: AnyRequest, caller: Scope, q: str = "", *, area_id: str = "", status: str = "", cursor: str | None = None
) -> Template:
    chosen = next((known for known in STATUSES if known == status), None)
    areas = await area_options(caller)
    area = next((id_ for id_, _name in areas if str(id_) == area_id), None)
    found = await list_people(caller, q=q, area_id=area, status=chosen, limit=50, cursor=cursor)
    count = partial(count_people, caller, q=q, area_id=area, status=chosen)
    bar = Bar(
        path="/admin/people", q=q, cursor=cursor, placeholder=_("姓名、拼音、手机号或身份证号"),
        choices=[
            Choice(_("住在"), "area_id", areas, str(area or "")),
            Choice(_("状态"), "status", STANDINGS, chosen or ""),
        ],
    )  # fmt: skip
    return page(
        request, caller, "people/list.html", found=found, bar=bar, may=caller.administers, opens=caller.reads_all,
        count=await length_of(found, cursor, count),
    )  # fmt: skip


async def _form_page(request: AnyRequest, caller: Scope, person_id: UUID | None = None) -> Template:
    """The form of a new person, or of one who is to be corrected."""
    caller.require_admin()
    known = await open_person(caller, person_id) if person_id else None
    values = {name: getattr(known, name) for name in FIELDS if known and name != "identity"}
    return page(
        request, caller, "people/form.html", values=values, known=known,
        areas=await area_options(caller),
    )  # fmt: skip
