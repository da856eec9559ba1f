"""A capability is declared in its manifest alone: a new one edits no other file, a removed entry takes effect."""

import ast
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.merging.test_merging import TWIN, merged, one_name, twin
from tests.presence.test_counter import looked
from tests.source.test_architecture import ROW, modules
from tests.source.umbrellas.capability import CAPABILITY as UMBRELLAS
from tests.source.umbrellas.lending import lend
from tests.source.umbrellas.tables import MADE_BY
from tests.support.counter import API, kept
from tests.support.shop import key, reserve, wish
from tests.support.switches import switch_on
from tests.support.town import SPRING, Town
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.activities.undo import offer_again, undo_activities
from timebank.app import create_app
from timebank.areas.places import add_area
from timebank.areas.undo import remove_unused_areas
from timebank.core import capability, clock
from timebank.core.capability import Capability, also, capabilities, not_in_use, resolve
from timebank.demo.supplies import deliveries
from timebank.demo.year import declared_stories
from timebank.http.callers import SESSION_COOKIE
from timebank.ledger.checking.check import check_ledger
from timebank.ledger.checking.invariants import invariants
from timebank.ledger.entries import last_entries, reversal_of
from timebank.ledger.statement_words import entry_kind_in_words
from timebank.operations import worker
from timebank.presence.at_counter import was_scanned
from timebank.trail.words import change_in_words, nouns, verbs


@pytest.fixture
async def umbrellas(town: Town, owner: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service with the umbrellas capability and its table added."""
    await owner.execute("SET ROLE timebank_owner")
    await owner.execute(MADE_BY)
    try:
        with also(UMBRELLAS):
            transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI, typed apart
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client
    finally:
        await owner.execute("DROP TABLE umbrella_loan")
        await owner.execute("RESET ROLE")


async def test_a_new_capability_has_its_page_job_invariant_and_entry_without_another_file(
    town: Town, umbrellas: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 20)
    await lend(await town.scope("赵丽"), town.people["张桂兰"])
    admin = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}

    page = (await umbrellas.get("/admin/umbrellas", headers=admin)).text
    assert "借出 1 把伞" in page
    assert page.index("/admin/goods") < page.index('href="/admin/umbrellas"') < page.index("/admin/confirmations")
    asked = await umbrellas.get("/api/v1/umbrellas", headers=await town.sign_in("赵丽"))
    assert asked.json() == {"lent": 1}
    statement = await umbrellas.get("/statement", headers={"Cookie": f"{SESSION_COOKIE}={await town.token('张桂兰')}"})
    assert "借伞押分" in statement.text
    trail = await umbrellas.get("/admin/audit", headers=admin)
    assert "借出了雨伞" in trail.text

    auditor = town.system()
    assert (await check_ledger(auditor)).problems == []
    await owner.execute("UPDATE umbrella_loan SET points = 6")
    (found,) = (await check_ledger(auditor)).problems
    assert found.text() == "一把借出的伞押 6 分，账上预留着 5 分。"
    await owner.execute("UPDATE umbrella_loan SET points = 5")

    with clock.at(clock.now() + timedelta(days=4)):
        await worker.do(next(job for job in worker.jobs() if job.name == "take_umbrellas_back"))
    assert (await umbrellas.get("/api/v1/umbrellas", headers=await town.sign_in("赵丽"))).json() == {"lent": 0}
    assert (await check_ledger(auditor)).problems == []


async def test_a_capability_with_a_switch_is_there_only_where_it_is_switched_on(
    town: Town, umbrellas: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that it has no address, no menu entry and no job there; another community's switch is its own."""
    await town.credit_deed("张桂兰", 20)
    await lend(await town.scope("赵丽"), town.people["张桂兰"])
    monkeypatch.setattr(capability, "_added", [replace(UMBRELLAS, switch=True)])
    admin = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    elsewhere = {"Cookie": f"{SESSION_COOKIE}={await town.token('何静')}"}
    transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI, typed apart
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await switch_on(owner, town.communities[SPRING], "umbrellas")
        assert (await client.get("/admin/umbrellas", headers=admin)).status_code == 404
        assert "/admin/umbrellas" not in (await client.get("/admin/goods", headers=admin)).text
        assert (await client.get("/admin/umbrellas", headers=elsewhere)).status_code == 200
        with clock.at(clock.now() + timedelta(days=4)):
            await worker.do(next(job for job in worker.jobs() if job.name == "take_umbrellas_back"))
            await switch_on(owner, town.community, "umbrellas")
            assert "借出 1 把伞" in (await client.get("/admin/umbrellas", headers=admin)).text
            await worker.do(next(job for job in worker.jobs() if job.name == "take_umbrellas_back"))
            assert "借出 0 把伞" in (await client.get("/admin/umbrellas", headers=admin)).text
        assert 'href="/admin/umbrellas"' in (await client.get("/admin/goods", headers=admin)).text


async def test_the_books_do_not_balance_for_a_hold_that_no_capability_declares(
    town: Town, umbrellas: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.credit_deed("张桂兰", 20)
    await lend(await town.scope("赵丽"), town.people["张桂兰"])
    monkeypatch.setattr(capability, "_added", [])
    assert {problem.code for problem in (await check_ledger(town.system())).problems} == {
        "source_unknown", "hold_without_cause",
    }  # fmt: skip


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The service with one capability that lacks what is named."""

    def strike(name: str, **left: object) -> None:
        # Fields of a manifest by their names: mypy cannot tell which.
        kept = [replace(one, **left) if one.name == name else one for one in capabilities()]  # type: ignore[arg-type]
        monkeypatch.setattr("timebank.capabilities.CAPABILITIES", tuple(kept))

    return strike


def named(name: str) -> Capability:
    return next(one for one in capabilities() if one.name == name)


def test_a_page_that_is_struck_from_the_manifest_is_gone(pool: str, without: Callable[..., None]) -> None:
    def addresses() -> set[str]:
        return {route.path for route in create_app(opens_pool=False).routes}

    assert "/admin/goods" in addresses()
    without("shop", pages=tuple(path for path in named("shop").pages if path != "admin.goods.PanelGoodsPages"))
    assert "/admin/goods" not in addresses()
    assert "/api/v1/goods" in addresses()
    without("shop", api=())
    assert "/api/v1/goods" not in addresses()


def test_a_job_an_invariant_and_a_word_that_are_struck_from_the_manifest_are_gone(
    without: Callable[..., None],
) -> None:
    def here() -> tuple[bool, bool, str, bool]:
        return (
            any(job.name == "expire_redemptions" for job in worker.jobs()),
            any(invariant.code == "stock_differs" for invariant in invariants()),
            entry_kind_in_words("hold", "redemption"),
            "count_stock" in verbs(),
        )

    assert here() == (True, True, "预留物品", True)
    without("shop", jobs=(), invariants=None, statement={}, audit={})
    assert here() == (False, False, "预留", False)


def test_a_story_that_is_struck_from_the_manifest_is_gone_from_the_demo(without: Callable[..., None]) -> None:
    before = declared_stories()
    assert deliveries in before
    without("shop", stories=())
    assert declared_stories() == [each for each in before if each is not deliveries]


def test_words_and_a_page_for_the_audit_that_are_struck_are_gone(
    without: Callable[..., None],
) -> None:
    def here() -> tuple[bool, bool, str]:
        change = change_in_words("read_children", {"list": "bookings"}, "zh")
        return "booking" in nouns(), any("course" in one.panel for one in capabilities()), change

    assert here() == (True, True, "名单 约课名单")
    without("classes", nouns={}, panel={}, child_lists={})
    assert here() == (False, False, "名单 bookings")


async def test_an_entry_is_taken_back_only_as_a_manifest_says(town: Town, without: Callable[..., None]) -> None:
    await town.credit_deed("张桂兰", 20)
    entry = next(each for each in (await last_entries(town.system())).items if each.source_kind == "deed")
    assert reversal_of(entry) == named("deeds").sources[0].reversal
    without("deeds", sources=[replace(source, reversal=None) for source in named("deeds").sources])
    assert reversal_of(entry) is None


async def test_a_place_that_a_capability_uses_stays_on_the_map_as_long_as_its_manifest_says_so(town: Town) -> None:
    admin = await town.scope("赵丽")
    grid = (await add_area(admin, "grid", "误加的网格", None)).id
    with also(Capability(name="benches", in_use={"area": "SELECT id FROM area WHERE community_id = $1"})):
        assert await remove_unused_areas(admin, [grid]) == 0
    assert await remove_unused_areas(admin, [grid]) == 1


async def test_an_activity_that_a_capability_uses_or_names_stays_as_long_as_its_manifest_says_so(
    town: Town, owner: asyncpg.Connection
) -> None:
    admin = await town.scope("赵丽")
    rule = await owner.fetchval("SELECT code FROM rule WHERE kind = 'service' ORDER BY code LIMIT 1")
    made = (await add_activity(admin, ActivityIn(name="误加的活动", rule_code=rule))).id
    every = {"activity": "SELECT id FROM activity WHERE community_id = $1"}
    with also(Capability(name="benches", in_use=every)):
        assert await undo_activities(admin, [made]) == 0
    with also(Capability(name="benches", refers_to=every)):
        assert await undo_activities(admin, [made]) == 1
        assert await owner.fetchval("SELECT active FROM activity WHERE id = $1", made) is False, "its row stays"
        assert await offer_again(admin, [made]) == [made]
    assert await undo_activities(admin, [made]) == 1
    assert await owner.fetchval("SELECT count(*) FROM activity WHERE id = $1", made) == 0


@pytest.mark.parametrize(("name", "noun"), [(one.name, noun) for one in capabilities() for noun in one.in_use])
def test_a_use_that_is_struck_from_a_manifest_keeps_nothing(name: str, noun: str, without: Callable[..., None]) -> None:
    select = named(name).in_use[noun]
    assert select in not_in_use(noun, "a.id")
    without(name, in_use={})
    assert select not in not_in_use(noun, "a.id")


async def test_who_agreed_at_a_counter_vouches_for_a_card_as_long_as_the_manifest_says_so(
    town: Town, client: httpx.AsyncClient, without: Callable[..., None]
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    printed = (await counter.ask("POST", f"/people/{town.people['王建国']}/card", 201)).json()["url"]
    asked = (await counter.ask("POST", "/counter/confirmations", 201, json=wish(town, "王建国", "香皂"))).json()
    decision = f"{API}/counter/confirmations/{asked['id']}/decision"
    agreed = await client.post(decision, json={"decision": "agree"}, headers=await town.sign_in("赵丽") | key())
    assert agreed.status_code == 200
    await looked(counter, printed)
    assert await was_scanned(await town.scope("周敏"), town.people["王建国"])
    without("shop", vouched=None)
    assert not await was_scanned(await town.scope("周敏"), town.people["王建国"])


async def test_what_a_merge_set_aside_anew_balances_as_long_as_the_manifest_says_so(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, without: Callable[..., None]
) -> None:
    await town.credit_deed("李秀英", 100)
    await twin(town, owner)
    assert (await reserve(client, town, "李秀英", "抽纸")).status_code == 201
    await one_name(town, owner)
    await merged(town, TWIN, "李秀英")
    assert (await check_ledger(town.system())).problems == []
    without("merging", sources=[replace(source, held_anew=None) for source in named("merging").sources])
    assert {problem.code for problem in (await check_ledger(town.system())).problems} == {"hold_without_cause"}


def test_what_is_called_from_below_is_declared_by_one_capability_and_called() -> None:
    called = [
        node.args[0].value
        for _, tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hook" and isinstance(node.args[0], ast.Constant)
    ]
    assert sorted(name for one in capabilities() for name in one.hooks) == sorted(set(map(str, called)))


def test_the_manifests_stand_in_the_order_of_the_layers() -> None:
    rows = [ROW[one.name] for one in capabilities()]
    assert rows == sorted(rows)


def paths(one: Capability) -> list[str]:
    """Every dotted path that a manifest names, except the module of its tables."""
    agreed = [path for each in one.agreed for path in (each.kind, each.carry_out, each.stands_now) if path]
    reversals = [source.reversal.verb for source in one.sources if source.reversal]
    verbs_of = [*(job.verb for job in one.jobs), *(sweep.verb for sweep in one.sweeps)]
    verbs_of += [delivery.verb for delivery in one.deliveries]
    return [
        *one.api,
        *one.pages,
        *verbs_of,
        *([one.invariants] if one.invariants else []),
        *agreed,
        *reversals,
        *one.hooks.values(),
        *one.stories,
    ]


@pytest.mark.parametrize("one", capabilities(), ids=lambda one: one.name)
def test_what_a_manifest_names_is_there(one: Capability) -> None:
    assert [path for path in paths(one) if resolve(path) is None] == []


def test_no_two_capabilities_declare_the_same() -> None:
    every = [path for one in capabilities() for path in (*one.api, *one.pages)]
    every += [job.name for one in capabilities() for job in one.jobs]
    every += [sweep.name for one in capabilities() for sweep in one.sweeps]
    every += ["delivery " + delivery.kind for one in capabilities() for delivery in one.deliveries]
    every += [entry.href for one in capabilities() for entry in one.menu]
    every += ["source " + source.noun for one in capabilities() for source in one.sources]
    every += [word for one in capabilities() for word in one.statement]
    every += ["noun " + noun for one in capabilities() for noun in one.nouns]
    every += ["panel " + noun for one in capabilities() for noun in one.panel]
    every += ["list " + name for one in capabilities() for name in one.child_lists]
    every += [f"{column.table}.{column.column}" for one in capabilities() for column in one.people]
    assert sorted(each for each in set(every) if every.count(each) > 1) == []
    words: dict[str, set[str]] = {}
    for verb, word in (pair for one in capabilities() for pair in one.audit.items()):
        words.setdefault(verb, set()).add(word)
    assert {verb: said for verb, said in words.items() if len(said) > 1} == {}


def test_the_worker_and_the_check_of_the_books_load_no_page() -> None:
    asked = (
        "import sys; from timebank.operations import worker; "
        "from timebank.ledger.checking.invariants import invariants; "
        "worker.jobs(); invariants(); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    pages = {path.rpartition(".")[0] for one in capabilities() for path in (*one.api, *one.pages)}
    assert "timebank.ledger.checking.stored_result" in loaded
    assert pages.isdisjoint(loaded)
    assert "timebank.app" not in loaded
    assert "litestar" not in loaded
