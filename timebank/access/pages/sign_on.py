"""The sign-on page of a counter tablet: a keeper takes over with a password."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta, Struct

from timebank.access.devices import sign_on
from timebank.access.devices.sign_on import SignOnIn
from timebank.core.errors import Forbidden
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import WITHOUT_A_KEEPER, AnyRequest, client_address
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.presence.counter import holder_at_sign_on
from timebank.presence.words import ScanRefused
from timebank.stations.stations import station
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
SIGN_ON = {"phone": _("手机号"), "password": _("密码"), "person_id": _("站长")}
SHOWN = {"code": _("码")}


class ShownCode(Struct, frozen=True):
    code: Annotated[str, Meta(min_length=1, max_length=600)]


class CounterSignOnPages(Controller):
    path = "/desk"
    opt = WITHOUT_A_KEEPER
    include_in_schema = False

    @get("/sign-on")
    async def ask(
        self, request: AnyRequest, caller: NamedDependency[Scope], who: FromQuery[UUID | None] = None,
        other: FromQuery[bool] = False,
    ) -> Template:  # fmt: skip
        """Choose who signs on: keepers who have signed on here before by name, others by phone number."""
        return await _page(request, caller, who=who, by_phone=other)

    @post("/sign-on")
    @shown_again(
        lambda request, caller, data: _page(
            request, caller, who=_uuid(data.get("person_id")), by_phone=bool(data.get("phone"))
        )
    )
    async def sign_on(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Sign a keeper on with their password."""
        given = {name: value for name, value in data.items() if name in SIGN_ON and value}
        await sign_on.sign_on(caller, parse_form(SignOnIn, given, SIGN_ON), address=client_address(request))
        return see_other("/desk")

    @post("/sign-on/code")
    @shown_again(lambda request, caller: _page(request, caller))
    async def show_code(self, request: AnyRequest, caller: NamedDependency[Scope], data: Form) -> Template:
        """Identify the keeper by personal code or card instead of the phone number; the password is still needed."""
        try:
            shown = await holder_at_sign_on(caller, parse_form(ShownCode, data, SHOWN).code)
        except ScanRefused as verdict:
            return await _page(request, caller, refusal=verdict.said.text(language_of(request)), status=422)
        return await _page(request, caller, who=shown.id, name=shown.name)

    @post("/sign-off")
    @shown_again(lambda request, caller: _page(request, caller))
    async def sign_off(self, caller: NamedDependency[Scope]) -> Redirect:
        """Sign the keeper off."""
        await sign_on.sign_off(caller)
        return see_other("/desk/sign-on")


async def _page(
    request: AnyRequest, caller: Scope, *, who: UUID | None = None, name: str | None = None, by_phone: bool = False,
    refusal: str | None = None, status: int = 200,
) -> Template:  # fmt: skip
    if not caller.is_counter or caller.device_station_id is None:
        raise Forbidden
    known = await sign_on.known_keepers(caller)
    chosen = name or next((k.name for k in known if k.person_id == who), None)
    here = await station(caller, caller.device_station_id)
    return page(
        request, caller, "desk/sign_on.html", status=status, place=here.name,
        on_duty=await sign_on.on_duty(caller), known=known, who=who if chosen else None, name=chosen,
        by_phone=by_phone or not (known or chosen), refusal=refusal,
    )  # fmt: skip


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
