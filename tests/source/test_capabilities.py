"""A capability is declared in one place: a new one needs no other file, and what is struck from a manifest is gone."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.source.umbrellas.capability import CAPABILITY as UMBRELLAS
from tests.source.umbrellas.lending import lend
from tests.source.umbrellas.tables import MADE_BY
from tests.support.town import Town
from timebank.app import create_app
from timebank.core import capability, clock
from timebank.core.capability import Capability, also, capabilities, resolve
from timebank.http.callers import SESSION_COOKIE
from timebank.ledger.checking.check import check_ledger
from timebank.ledger.checking.invariants import invariants
from timebank.ledger.explain import entry_kind_in_words
from timebank.operations import worker
from timebank.trail.words import verbs

SHOP = next(one for one in capabilities() if one.name == "shop")


@pytest.fixture
async def umbrellas(town: Town, owner: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """The service with one capability more, and that one's table."""
    await owner.execute("SET ROLE timebank_owner")
    await owner.execute(MADE_BY)
    try:
        with also(UMBRELLAS):
            transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI
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
def shop_without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The service whose shop lacks what is named."""

    def strike(**left: object) -> None:
        # Fields of a manifest by their names: mypy cannot tell which.
        kept = [replace(SHOP, **left) if one.name == "shop" else one for one in capabilities()]  # type: ignore[arg-type]
        monkeypatch.setattr("timebank.capabilities.CAPABILITIES", tuple(kept))

    return strike


def test_a_page_that_is_struck_from_the_manifest_is_gone(pool: str, shop_without: Callable[..., None]) -> None:
    def addresses() -> set[str]:
        return {route.path for route in create_app(opens_pool=False).routes}

    assert "/admin/goods" in addresses()
    shop_without(pages=tuple(path for path in SHOP.pages if path != "admin.goods.PanelGoodsPages"))
    assert "/admin/goods" not in addresses()
    assert "/api/v1/goods" in addresses()
    shop_without(api=())
    assert "/api/v1/goods" not in addresses()


def test_a_job_an_invariant_and_a_word_that_are_struck_from_the_manifest_are_gone(
    shop_without: Callable[..., None],
) -> None:
    def here() -> tuple[bool, bool, str, bool]:
        return (
            any(job.name == "expire_redemptions" for job in worker.jobs()),
            any(invariant.code == "stock_differs" for invariant in invariants()),
            entry_kind_in_words("hold", "redemption"),
            "count_stock" in verbs(),
        )

    assert here() == (True, True, "预留物品", True)
    shop_without(jobs=(), invariants=None, statement={}, audit={})
    assert here() == (False, False, "预留", False)


def paths(one: Capability) -> list[str]:
    """Every dotted path that a manifest names, but for the module of its tables."""
    agreed = [path for each in one.agreed for path in (each.kind, each.carry_out, each.stands_now) if path]
    reversed_by = [source.reversed_by for source in one.sources if source.reversed_by]
    verbs_of = [*(job.verb for job in one.jobs), *(sweep.verb for sweep in one.sweeps)]
    return [*one.api, *one.pages, *verbs_of, *([one.invariants] if one.invariants else []), *agreed, *reversed_by]


@pytest.mark.parametrize("one", capabilities(), ids=lambda one: one.name)
def test_what_a_manifest_names_is_there(one: Capability) -> None:
    assert [path for path in paths(one) if resolve(path) is None] == []


def test_no_two_capabilities_declare_the_same() -> None:
    every = [path for one in capabilities() for path in (*one.api, *one.pages)]
    every += [job.name for one in capabilities() for job in one.jobs]
    every += [sweep.name for one in capabilities() for sweep in one.sweeps]
    every += [entry.href for one in capabilities() for entry in one.menu]
    every += ["source " + source.noun for one in capabilities() for source in one.sources]
    every += [word for one in capabilities() for word in one.statement]
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
