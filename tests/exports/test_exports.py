"""A list is saved as it is filtered, read again by the import and noted in the audit; many people need two."""

import json
from io import BytesIO

import asyncpg
import httpx
import pytest
from openpyxl import load_workbook

from tests.plans.test_lists import MANY, fill
from tests.support.inbox import imported_deeds
from tests.support.presence import served
from tests.support.shop import API, Browser, browser
from tests.support.town import Town
from timebank.exports.consent import PEOPLE_ALONE, exported, may_export_many
from timebank.http.downloads import XLSX
from timebank.imports.reports.refused_rows import FORMULA
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn


def rows_of(content: bytes) -> list[tuple[object, ...]]:
    sheet = load_workbook(BytesIO(content), read_only=True).worksheets[0]
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


async def saved(desk: Browser, name: str, **fields: object) -> bytes:
    answer = await desk.send(f"/admin/exports/{name}", **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == XLSX
    return answer.content


async def audited(owner: asyncpg.Connection) -> list[dict[str, object]]:
    found = await owner.fetch("SELECT change FROM audit WHERE verb = 'export_list' ORDER BY id")
    return [json.loads(row["change"]) for row in found]


async def test_the_people_who_are_shown_are_the_people_who_are_saved(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    desk = await browser(client, town, "赵丽")
    heading, *rows = rows_of(await saved(desk, "people", q="zg", status="active"))
    assert list(heading) == list(exported()["people"].headings)
    assert {row[0] for row in rows} == {"张桂兰", "张国庆"}
    assert {row[9] for row in rows} == {town.phones["张桂兰"], town.phones["张国庆"]}
    [kept] = await audited(owner)
    assert kept == {"list": "people", "rows": 2, "searched": True, "filters": {"status": "active"}}
    assert "zg" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("name", "kind"), [("people", "residents"), ("hours", "hours"), ("goods", "goods"), ("deeds", "deeds")]
)
async def test_what_was_saved_is_read_again_by_the_import(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, name: str, kind: str
) -> None:
    await served(town, "张桂兰", 90)
    await imported_deeds(town, owner, 2)
    desk = await browser(client, town, "赵丽")
    content = await saved(desk, name)
    count = len(rows_of(content)) - 1
    assert count
    people = await owner.fetchval("SELECT count(*) FROM person")
    sent = {"file": (f"{name}.xlsx", content)}
    address, headers = f"{API}/imports/{kind}", await town.sign_in("赵丽")
    told = (await client.post(f"{address}?dry_run=true", files=sent, headers=headers)).json()
    assert told["rows"] == count, told
    if name == "hours":  # read whole, and known to be registered already
        assert ["重叠" in each["problem"] for each in told["errors"]] == [True] * count, told
    else:
        assert (told["accepted"], told["errors"]) == (count, []), told
    if name == "people":
        assert told["created"] == 0, told
        done = await client.post(address, files={"file": (f"{name}.xlsx", content)}, headers=headers)
        assert done.json()["created"] == 0
        assert await owner.fetchval("SELECT count(*) FROM person") == people


@pytest.mark.parametrize("sign", FORMULA[:4])
async def test_no_cell_is_a_formula(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, sign: str
) -> None:
    await owner.execute("UPDATE person SET name = $2 WHERE id = $1", town.people["张桂兰"], f"{sign}1+1")
    desk = await browser(client, town, "赵丽")
    book = load_workbook(BytesIO(await saved(desk, "people")))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert f"'{sign}1+1" in {cell.value for cell in cells}
    assert "f" not in {cell.data_type for cell in cells}


async def test_more_than_a_hundred_people_in_a_day_wait_for_somebody_else(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "person")
    desk = await browser(client, town, "赵丽")
    asked = await desk.send("/admin/exports/people", q="居民")
    assert asked.status_code == 303
    waiting = asked.headers["location"].rpartition("=")[2]
    assert await audited(owner) == []
    again = await desk.send("/admin/exports/people", q="居民")
    assert again.headers["location"] == asked.headers["location"]
    own = await desk.send(f"/admin/agreements/{waiting}", decision="agree")
    assert own.status_code == 403, own.text
    assert not await may_export_many(await town.scope("赵丽"), "people")
    above = await browser(client, town, "钱进")
    assert "一个月内可以导出" in await above.see("/admin/agreements")
    assert (await above.send(f"/admin/agreements/{waiting}", decision="agree")).status_code == 303
    assert len(rows_of(await saved(desk, "people", q="居民"))) == MANY + 1
    assert not await may_export_many(await town.scope("赵丽"), "hours")
    assert not await may_export_many(await town.scope("钱进"), "people")
    await owner.execute("UPDATE waiting_change SET decided_at = decided_at - interval '31 days'")
    assert not await may_export_many(await town.scope("赵丽"), "people")


async def test_small_parts_of_a_large_list_count_together(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "person")
    desk = await browser(client, town, "赵丽")
    for number in range(9):
        assert len(rows_of(await saved(desk, "people", q=f"居民1{number}"))) == 12
    assert 9 * 11 < PEOPLE_ALONE < 10 * 11
    assert (await desk.send("/admin/exports/people", q="居民19")).status_code == 303
    await owner.execute("UPDATE export_day SET day = day - 2")
    assert len(rows_of(await saved(desk, "people", q="居民19"))) == 12


@pytest.mark.parametrize(
    ("name", "listed", "status"),
    [("赵丽", "people", 200), ("孙伟", "people", 403), ("孙伟", "goods", 200), ("陈明", "people", 403),
     ("张桂兰", "goods", 403), ("赵丽", "nothing", 404), ("周敏", "hours", 403)],
)  # fmt: skip
async def test_who_may_save_a_list(town: Town, client: httpx.AsyncClient, name: str, listed: str, status: int) -> None:
    assert (await (await browser(client, town, name)).send(f"/admin/exports/{listed}")).status_code == status


async def test_a_filter_that_does_not_fit_is_refused(town: Town, client: httpx.AsyncClient) -> None:
    desk = await browser(client, town, "赵丽")
    for name, fields in (("people", {"area_id": "x"}), ("people", {"status": "x"}), ("redemptions", {"station": "x"})):
        assert (await desk.send(f"/admin/exports/{name}", **fields)).status_code == 422


def test_each_exported_list_has_words_and_a_name_of_its_own() -> None:
    found = exported()
    assert set(found) == {"people", "hours", "goods", "deeds", "redemptions", "entries"}
    assert len({one.word for one in found.values()}) == len(found)


@pytest.mark.parametrize("name", ["赵丽", "孙伟"])
async def test_the_lists_that_can_be_saved_stand_in_the_menu_of_those_who_may(
    town: Town, client: httpx.AsyncClient, name: str
) -> None:
    desk = await browser(client, town, name)
    assert 'href="/admin/exports"' in (await desk.see("/admin"))
    shown = await desk.see("/admin/exports")
    assert 'action="/admin/exports/goods"' in shown
    assert ('action="/admin/exports/people"' in shown) == (name == "赵丽")


async def test_a_list_is_saved_from_its_page_as_it_is_filtered(town: Town, client: httpx.AsyncClient) -> None:
    await served(town, "张桂兰", 90)
    await town.give_points("张桂兰", 16)
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    await redeem(await town.scope("张桂兰"), wanted)
    desk = await browser(client, town, "赵丽")
    for address, name, values, rows in (
        ("/admin/reviews?status=approved", "hours", {"status": "approved"}, 1),
        ("/admin/goods/redemptions?status=reserved", "redemptions", {"status": "reserved"}, 1),
        ("/admin/goods/redemptions?status=reserved", "redemptions", {"status": "collected"}, 0),
    ):
        page = await desk.see(address)
        form = page[page.index(f'action="/admin/exports/{name}"') :].partition("</form>")[0]
        assert f'name="status" value="{address.rpartition("=")[2]}"' in form
        assert len(rows_of(await saved(desk, name, **values))) - 1 == rows, (name, values)
    auditor = await browser(client, town, "孙伟")
    assert "/admin/exports/hours" not in await auditor.see("/admin/reviews?status=approved")
