"""A refused form is shown again where it stands: the reason, what was typed, and a way on."""

import ast
import copy
import importlib
import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg
from litestar.routes import HTTPRoute

from tests.matrix.matrix import Operation, address, filled, operations
from tests.matrix.rounds import DEVICES, OUTSIDE, Round, first
from tests.source.test_architecture import modules, part_of
from tests.support.presence import nonce
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.http.callers import csrf_token

# A script of the counter sends waiting scans here and reads JSON; no form does.
FOR_SCRIPTS = {"/desk/scan/batch"}
# Forms whose page nobody sees with a refusal in the round, and why.
NOT_IN_PLACE = {
    "POST /admin/agreements/seen": "whoever may look has seen it; the others may not look",
    "POST /desk/pair/{code}": "a link that has been used has no page any more",
    "POST /display/{code}": "a link that has been used has no page any more",
    "POST /desk/sign-off": "it is never refused",
    "POST /messages/read": "it is never refused",
    "POST /preferences": "it is never refused",
    "POST /preferences/publication": "it is never refused",
    "POST /sign-out": "it is never refused",
    "POST /redemptions/{redemption_id}/cancellation": "what has been collected is cancelled below",
}
UUID_IN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
READERS = ("owner", "guardian", "keeper", "admin", "auditor", "counter", "admin elsewhere")
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
            [handler] = [
                h for h in route.route_handlers if isinstance(h, HTTPRouteHandler) and "POST" in h.http_methods
            ]
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
    if op.path in ("/admin/imports", "/admin/goods/{good_id}/photo"):
        name = "photo" if op.path.endswith("photo") else "file"
        return await client.post(path, data=fields, files={name: ("空.csv", b"", "text/csv")}, headers=headers)
    return await client.post(path, data=fields, params=params, headers=headers)


def attempts(op: Operation, made: Round) -> list[tuple[dict[str, str], str]]:
    """Forms to send, with their addresses: empty, of what has vanished, nonsense, amounts below nothing, twice the same."""
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
            for fields, path in attempts(op, made):
                answer = await sent(client, made, role, op, fields, path=path)
                done = done or answer.status_code < 400
                wrong += wrong_with(op, role, answer, names)
                in_place = in_place or (answer.status_code >= 400 and bool(PLACED.search(answer.text)))
            if done:
                await owner.execute(refusing_round[1])
        if not in_place:
            wrong.append(f"{op.name} is shown in place to nobody")
    assert not wrong, "\n".join(wrong)
