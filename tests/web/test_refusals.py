"""A refused form is shown again where it stands: the reason, what was typed, and a way on."""

import ast
import copy
import importlib
import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from litestar import Controller, Litestar, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg
from litestar.response import Redirect
from litestar.routes import HTTPRoute
from litestar.template.config import TemplateConfig

from tests.deeds.test_deeds import noticed
from tests.matrix.matrix import UPLOADS, Operation, address, filled, operations
from tests.matrix.rounds import DEVICES, OUTSIDE, Round, first
from tests.shop.test_shop_pages import reserved
from tests.source.test_architecture import modules, part_of
from tests.support.counter import kept
from tests.support.presence import nonce
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Busy, Conflict, NotFound, TimebankError, Unauthenticated
from timebank.http.callers import AnyRequest, CsrfMissing, csrf_token
from timebank.http.problems import failed, refused
from timebank.http.refusals import Typed, shown_again
from timebank.shop.collection import collect
from timebank.web.pages import page
from timebank.web.rendering import template_engine

# A script of the counter sends waiting scans here and reads JSON; no form does.
FOR_SCRIPTS = {"/desk/scan/batch"}
# Forms whose page nobody sees with a refusal in the round, and why.
NOT_IN_PLACE = {
    "POST /admin/agreements/seen": "whoever may look has seen it; the others may not look",
    "POST /desk/pair/{code}": "a link that has been used has no page any more",
    "POST /display/{code}": "a link that has been used has no page any more",
    "POST /desk/sign-off": "it is never refused",
    "POST /admin/exports/{listed}": "only a list that is too long is refused to who may have it",
    "POST /admin/audit/search": "whatever is typed is looked for",
    "POST /admin/ledger/entries/search": "whatever is typed is looked for",
    "POST /admin/deeds/search": "whatever is typed is looked for",
    "POST /admin/goods/redemptions/search": "whatever is typed is looked for",
    "POST /admin/reviews/search": "whatever is typed is looked for",
    "POST /admin/classes/search": "whatever is typed is looked for",
    "POST /admin/find": "whatever is typed is looked for",
    "POST /admin/goods/search": "whatever is typed is looked for; the round sends it no broken cursor",
    "POST /admin/reviews/hours/search": "whatever is typed is looked for",
    "POST /admin/people/{person_id}/merge/search": "whatever is typed is looked for",
    "POST /admin/people/search": "whatever is typed is looked for; the round sends it no broken cursor",
    "POST /messages/read": "it is never refused",
    "POST /preferences": "it is never refused",
    "POST /preferences/publication": "it is never refused",
    "POST /sign-out": "it is never refused",
    "POST /teams/free-times": "it is never refused",
    "POST /teams/skills/{skill_id}/withdrawal": "it is never refused",
    "POST /redemptions/{redemption_id}/cancellation": "what has been collected is cancelled below",
}
_MATTER_FORMS = (
    "new", "order", "wishes/new",
    *(
        f"{{matter_id}}/{verb}"
        for verb in (
            "answer", "question", "rating", "withdrawal", "reopening", "follow", "take", "giving-up", "return",
            "finish", "photos",
        )
    ),
)  # fmt: skip
NOT_IN_PLACE |= {
    f"POST {form}": "the round has not switched matters on; tests/matters"
    for form in (
        *(f"/matters/{form}" for form in _MATTER_FORMS),
        "/desk/matters/{matter_id}/rating",
        "/desk/matters/new",
        *(f"/desk/wishes/{{matter_id}}/{verb}" for verb in ("receipt", "renewal", "giving-back", "collection", "undo")),
        "/admin/matters/search",
        "/admin/matters/{matter_id}/{act}",
        "/admin/matters/categories/{code}",
        "/admin/matters/categories",
        "/worker/new",
        "/worker/matters/{matter_id}/{act}",
        "/worker/checks/{check_id}",
        "/unit/{community_id}/{matter_id}/{act}",
    )
}
UUID_IN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
READERS = ("owner", "guardian", "keeper", "admin", "auditor", "counter", "admin elsewhere")
READ_ONLY = ("auditor", "admin elsewhere")  # every form refuses them for who they are, whatever it holds
SLICES = 6
HTML = {"Accept": "text/html,application/xhtml+xml"}
NOTICE = re.compile(r'class="notice is-wrong" role="alert"')
PLACED = re.compile(r'class="notice is-wrong" role="alert"|href="/desk"><span>返回柜台')
BARE = re.compile(r'class="verdict is-(wrong|wait)')
MAIN = re.compile(r"<main.*</main>(?:.*?)</body>", re.DOTALL)


def forms(app: Litestar) -> list[tuple[str, HTTPRouteHandler]]:
    """Every handler of a page that takes a form, with its address."""
    return [
        (route.path, handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler) and "POST" in handler.http_methods
        and not route.path.startswith("/api/") and route.path not in FOR_SCRIPTS
    ]  # fmt: skip


def test_every_form_of_every_page_is_shown_again_when_it_is_refused(app: Litestar) -> None:
    found = forms(app)
    assert len(found) > 90
    assert [path for path, handler in found if not hasattr(handler.fn, "__shows_again__")] == []


def test_only_forms_are_left_out_that_no_person_fills_in(app: Litestar) -> None:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path in FOR_SCRIPTS:
            [handler] = [h for h in route.route_handlers if "POST" in h.http_methods]
            field = handler.parsed_data_field
            assert field is not None
            assert isinstance(field.kwarg_definition, BodyKwarg)
            assert field.kwarg_definition.media_type == "application/json"


def test_no_page_catches_a_refusal_itself() -> None:
    """One place shows refusals; a list of expected ones beside a page would forget the next."""
    wrong = []
    for name, (_, tree) in modules().items():
        if part_of(name) not in {"web", "admin"}:
            continue
        known = vars(importlib.import_module(name))
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                caught = eval(compile(ast.Expression(node.type), name, "eval"), dict(known))  # noqa: S307  # our own source
                kinds = caught if isinstance(caught, tuple) else (caught,)
                wrong += [
                    f"{name}:{node.lineno}"
                    for kind in kinds
                    if issubclass(TimebankError, kind) or issubclass(kind, TimebankError)
                ]
    assert wrong == []


@pytest.fixture(scope="session")
async def refusing_round(pool: str, app: Litestar, first_town: tuple[Town, str]) -> AsyncIterator[tuple[Round, str]]:
    async with first(pool, app, first_town, "refusing_round") as made:
        yield made


async def sent(
    client: httpx.AsyncClient, made: Round, role: str, op: Operation, fields: dict[str, str], *, path: str
) -> httpx.Response:
    """A form as a browser sends it for this role."""
    headers = HTML | (made.cookie[role] if role in DEVICES else made.bearer[role])
    if role in DEVICES:
        token = made.bearer[role]["Authorization"].rpartition(" ")[2]
        fields = fields | {"_csrf": csrf_token(token)}
    params = {name: fields.get(name, str(filled(op, made)[name])) for name in op.needs}
    if op.path in UPLOADS:
        name = "photo" if "photo" in op.path else "file"
        return await client.post(path, data=fields, files={name: ("空.csv", b"", "text/csv")}, headers=headers)
    return await client.post(path, data=fields, params=params, headers=headers)


def attempts(op: Operation, made: Round) -> list[tuple[dict[str, str], str]]:
    """Forms to send, with their addresses: empty, of what has vanished, nonsense, negative amounts, twice the same."""
    there = address(op, made)
    fitting = {name: str(value) for name, value in filled(op, made).items()}
    once, again = fitting | {"_key": nonce()}, fitting | {"_key": nonce(), "nonce": nonce()}
    amounts = dict.fromkeys(("quantity", "counted", "minutes", "amount", "seats", "points"), "-1")
    device = str(clock.new_id())
    nonsense = dict.fromkeys(fitting, "9" * 25) | {"_key": nonce()}
    vanished = UUID_IN.sub(lambda _: str(clock.new_id()), there)
    one_vanished = re.sub(UUID_IN.pattern + "(?=[^0-9a-f]*[a-z-]*$)", str(clock.new_id()), there)
    return [
        ({}, there), (once, vanished), (once | {"device": device}, one_vanished), (nonsense, there),
        (once | amounts, there), (once, there), (again, there),
    ]  # fmt: skip


def wrong_with(op: Operation, role: str, answer: httpx.Response, names: list[str]) -> list[str]:
    """What a refused form's page lacks; nothing of an answer that is no refusal, or that leads to signing in."""
    at, text = f"{op.name} as {role}: {answer.status_code}", answer.text
    if answer.status_code < 400 or answer.status_code == 401:
        return []
    if answer.status_code >= 500:
        return [at]
    found = []
    inside = MAIN.search(text)
    if not inside:
        return [f"{at} is no page"]
    if not NOTICE.search(inside[0]) and not BARE.search(inside[0]):
        found.append(f"{at} does not say so")
    if not re.search(r'<form [^>]*method="post"|<a [^>]*href="/', inside[0]) and 'class="panel-nav"' not in text:
        found.append(f"{at} has no way on")
    if role in OUTSIDE:
        found += [f"{at} tells {name}" for name in names if name in text]
    return found


@pytest.mark.parametrize("part", range(SLICES))
async def test_a_refusal_says_why_and_leaves_a_way_on(
    refusing_round: tuple[Round, str], app: Litestar, client: httpx.AsyncClient, owner: asyncpg.Connection, part: int
) -> None:
    """Every form, of things that are there and of things that have vanished, empty and filled with nonsense."""
    await owner.execute(refusing_round[1])
    made = copy.deepcopy(refusing_round[0])
    above = ("钱进", "吴昊")
    names = [name for name, home in made.town.home.items() if home == made.town.community and name not in above]
    paths = {path for path, _ in forms(app)}
    asked = [op for op in operations(app) if op.method == "POST" and op.is_page and op.path not in FOR_SCRIPTS]
    assert {re.sub(r"\{(\w+)\}", r"{\1}", op.path) for op in asked} == {
        re.sub(r"\{(\w+):\w+\}", r"{\1}", p) for p in paths
    }
    wrong: list[str] = []
    for op in asked[part::SLICES]:
        in_place = op.name in NOT_IN_PLACE
        for role in READERS:
            done = False
            for fields, path in attempts(op, made)[: 2 if role in READ_ONLY else None]:
                answer = await sent(client, made, role, op, fields, path=path)
                done = done or answer.status_code < 400
                wrong += wrong_with(op, role, answer, names)
                in_place = in_place or (answer.status_code >= 400 and bool(PLACED.search(answer.text)))
            if done:
                await owner.execute(refusing_round[1])
        if not in_place:
            wrong.append(f"{op.name} is shown in place to nobody")
    assert not wrong, "\n".join(wrong)


async def test_a_resident_keeps_the_number_that_was_typed(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 500)
    phone, path = await browser(client, town, "张桂兰"), f"/goods/{town.goods['香皂']}"
    answer = await phone.send(f"{path}/reservation", station_id=town.stations["暖蜂驿站"], quantity=-3)
    assert answer.status_code == 422
    assert NOTICE.search(answer.text)
    assert "填写的内容不对：数量" in answer.text
    assert 'value="-3"' in answer.text
    assert f'action="{path}/reservation"' in answer.text


def one_here(town: Town) -> dict[str, object]:
    return {"station_id": town.stations["暖蜂驿站"], "quantity": 1}


async def test_the_reason_is_told_in_the_readers_language(town: Town, client: httpx.AsyncClient) -> None:
    phone = await browser(client, town, "张桂兰")
    phone.headers |= {"Accept-Language": "en"}
    answer = await phone.send(
        f"/goods/{town.goods['香皂']}/reservation", station_id=town.stations["暖蜂驿站"], quantity=1
    )
    assert answer.status_code == 422
    assert "Not enough points" in answer.text


async def test_what_has_been_collected_is_shown_again_when_it_is_cancelled(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("张桂兰", 50)
    made = await reserved(town)
    await collect(await town.scope("周敏"), made.id, made.code)
    phone = await browser(client, town, "张桂兰")
    answer = await phone.send(f"/redemptions/{made.id}/cancellation")
    assert answer.status_code == 409
    assert NOTICE.search(answer.text)
    assert "已领取" in answer.text


async def test_a_form_of_what_has_vanished_leads_back_to_the_page_it_stood_on(
    town: Town, client: httpx.AsyncClient
) -> None:
    phone = await browser(client, town, "张桂兰")
    phone.headers |= {"Referer": "http://test/goods?from=home"}
    answer = await phone.send(f"/goods/{clock.new_id()}/reservation", station_id=town.stations["暖蜂驿站"], quantity=1)
    assert answer.status_code == 404
    assert 'href="/goods?from=home"' in answer.text
    phone.headers |= {"Referer": "http://elsewhere.example//evil"}
    answer = await phone.send(path := f"/goods/{clock.new_id()}/reservation", quantity=1)
    assert f'href="{path}"' in answer.text
    assert "elsewhere" not in answer.text


async def test_a_keeper_whose_search_is_refused_finds_the_counter_and_the_name_again(
    town: Town, client: httpx.AsyncClient
) -> None:
    tablet = await kept(client, town)
    answer = await tablet.send("/desk/people", station_id=town.stations["暖蜂驿站"], name="张桂兰", phone_last4="12")
    assert answer.status_code == 422
    assert NOTICE.search(answer.text)
    assert 'value="张桂兰"' in answer.text
    assert "data-desk" in answer.text


async def test_a_shelf_counted_below_what_is_reserved_keeps_the_count(town: Town, client: httpx.AsyncClient) -> None:
    tablet = await kept(client, town)
    place = {"station_id": town.stations["暖蜂驿站"], "good_id": town.goods["香皂"]}
    answer = await tablet.send("/desk/shelf/counts", **place, counted="-5")
    assert answer.status_code == 422
    assert 'value="-5"' in answer.text
    assert f'value="{town.goods["香皂"]}" selected' in answer.text
    assert '<details class="card more" open>' in answer.text


async def test_of_two_forms_of_a_panel_page_only_the_refused_one_is_filled_in(
    town: Town, client: httpx.AsyncClient
) -> None:
    desk, path = await browser(client, town, "赵丽"), f"/admin/stations/{town.stations['暖蜂驿站']}"
    answer = await desk.send(f"{path}/devices", name="东门大屏", kind="display", replaces=clock.new_id())
    assert answer.status_code in (404, 409, 422)
    assert NOTICE.search(answer.text)
    assert answer.text.count('value="东门大屏"') == 1
    assert 'value="暖蜂驿站"' in answer.text
    changed = await desk.send(path, name="新名字" * 30)
    assert changed.status_code == 422
    assert f'value="{"新名字" * 30}"' in changed.text
    assert 'id="device-name" name="name" maxlength="60" required placeholder="门口大屏" value=""' in changed.text


async def test_an_objection_without_a_reason_stands_on_the_board_again(town: Town, client: httpx.AsyncClient) -> None:
    deed = (await noticed(town)).id
    reader, path = await browser(client, town, "刘洋"), f"/board/{town.community}/deed/{deed}"
    answer = await reader.send(path, reason=" ")
    assert answer.status_code == 422
    assert NOTICE.search(answer.text)
    assert f'action="{path}"' in answer.text


async def test_a_password_is_not_written_into_the_page(town: Town, client: httpx.AsyncClient) -> None:
    answer = await client.post("/sign-in", data={"phone": "199", "password": "geheim-2026", "next": "/goods"})
    assert answer.status_code == 422
    assert 'value="199"' in answer.text
    assert "geheim-2026" not in answer.text
    assert 'name="next" value="/goods"' in answer.text


@pytest.mark.parametrize(
    ("error", "status", "is_in_place"),
    [
        (Conflict(), 409, True), (Busy(), 503, True), (NotFound(), 404, True), (OverflowError(), 422, True),
        (Unauthenticated(), 401, False), (CsrfMissing(), 403, False), (ValueError("x"), 500, False),
    ],
)  # fmt: skip
async def test_every_refusal_is_shown_in_place_and_what_leads_elsewhere_or_is_our_fault_goes_on(
    error: Exception, status: int, is_in_place: bool
) -> None:
    """Those too that a verb does not raise yet: the wrapper has no list of what it expects."""
    answer = await refused_with(error)
    assert answer.status_code == status
    assert bool(NOTICE.search(answer.text)) == is_in_place
    assert ("retry-after" in answer.headers) == (status == 503)
    if not is_in_place:
        assert 'class="verdict is-wrong' in answer.text
        assert "ValueError" not in answer.text


async def test_a_program_gets_the_problem_of_a_refused_form() -> None:
    answer = await refused_with(Conflict(), Accept="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def refused_with(error: Exception, **headers: str) -> httpx.Response:
    """The answer to a form whose handler raises this error."""

    class Forms(Controller):
        @post("/form", status_code=303)
        @shown_again(lambda request: page(request, None, "member/scan.html", sentence=None))
        async def form(self) -> Redirect:
            raise error

    app = Litestar([Forms], template_config=TemplateConfig(engine=template_engine()))
    app.exception_handlers |= {TimebankError: refused, Exception: failed}
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # ASGI, typed apart
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.post("/form", data={"code": "1"}, headers=headers)


def test_a_page_that_asks_for_what_its_form_does_not_have_is_refused_at_the_start() -> None:
    async def form(request: AnyRequest) -> None: ...

    with pytest.raises(TypeError, match="no argument caller"):
        shown_again(lambda request, caller: page(request, caller, "member/scan.html"))(form)


def test_typed_values_stand_in_their_own_form_alone() -> None:
    typed = Typed("/a", {"note": "typed", "decision": "refuse", "ticked": "1"})
    assert typed.value("note", "kept") == "kept"
    typed.begin("/a#place")
    assert (typed.value("note", "kept"), typed.value("other", "kept")) == ("typed", "kept")
    assert typed.is_checked("ticked", "1", False)
    assert not typed.is_checked("unticked", "1", True)
    typed.tell_apart("decision", "agree")
    assert typed.value("note", "kept") == "kept"
    typed.begin("/b")
    assert typed.value("note", "kept") == "kept"
