"""The pages of the moral bank and of the ledger: what each reader is shown, and what each form does."""

import re
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.deeds.test_deeds import BUILDING, MORNING, UNIT, filed, noticed
from tests.deeds.test_objections import honour_record
from tests.ledger.test_ledger_check import live_a_little
from tests.support.messages import end_quiet_hours
from tests.support.town import SPRING, Town
from timebank.core import clock
from timebank.deeds.credit import credit_due_deeds, reverse_deed
from timebank.http.callers import SESSION_COOKIE, csrf_token
from timebank.ledger.checking.stored_result import run_ledger_check_job
from timebank.ledger.entries import last_entries
from timebank.objections.objecting import object_to
from timebank.people.messages import notify


class Browser:
    """A signed-in browser: its cookie, and the token that its forms carry."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.cookies, self.csrf = client, {SESSION_COOKIE: token}, csrf_token(token)

    async def get(self, path: str, status: int = 200) -> str:
        self.client.cookies = httpx.Cookies(self.cookies)
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return re.sub(r"\s+", " ", answer.text)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        self.client.cookies = httpx.Cookies(self.cookies)
        return await self.client.post(path, data={"_csrf": self.csrf, **fields})


async def browser(town: Town, client: httpx.AsyncClient, name: str) -> Browser:
    return Browser(client, await town.token(name))


def deed_form(town: Town, **other: Any) -> dict[str, str]:
    told = {
        "rule_code": "mediation", "occurred_on": clock.local_day(), "note": "说和了两家", "witness_id": "",
        "area_id": town.areas[UNIT], "person_id": town.people["李秀英"], "_key": "k-1",
    }  # fmt: skip
    return {name: str(value) for name, value in (told | other).items()}


async def test_a_head_files_a_deed_by_the_form_and_sees_where_it_stands(town: Town, client: httpx.AsyncClient) -> None:
    head = await browser(town, client, "李秀英")
    form = await head.get("/deeds/new")
    assert "调解邻里纠纷 · 每件 10 分" in form
    assert "陈明 · 网格员" in form
    assert "张桂兰" in form  # a neighbour may witness
    assert "刘小雨" not in form
    made = await head.post("/deeds/new", **deed_form(town))
    assert (made.status_code, made.headers["location"]) == (303, "/deeds?done=filed")
    again = await head.post("/deeds/new", **deed_form(town))  # a double tap carries the same key
    assert again.status_code == 303
    mine = await head.get("/deeds?done=filed")
    assert mine.count("待审核</span>") == 1
    assert "已登记，等待审核" in mine


async def test_what_is_wrong_is_said_above_the_form_which_keeps_what_was_written(
    town: Town, client: httpx.AsyncClient
) -> None:
    head = await browser(town, client, "李秀英")
    tomorrow = clock.local_day() + timedelta(days=1)
    refused = await head.post("/deeds/new", **deed_form(town, occurred_on=tomorrow))
    assert refused.status_code == 422
    assert "善行的日期要在" in refused.text
    assert "说和了两家</textarea>" in refused.text
    blank = await head.post("/deeds/new", **deed_form(town, note=" "))
    assert (blank.status_code, "怎么做的" in blank.text) == (422, True)
    assert (await head.post("/deeds/new", **deed_form(town, area_id="?"))).status_code == 422
    assert (await head.client.post("/deeds/new", data=deed_form(town))).status_code == 403  # no CSRF token


async def test_who_has_no_duty_is_told_whom_to_ask(town: Town, client: httpx.AsyncClient) -> None:
    resident = await browser(town, client, "张桂兰")
    assert "请告诉您的单元长或网格员" in await resident.get("/deeds/new")
    assert "还没有您的善行" in await resident.get("/deeds")
    client.cookies = httpx.Cookies()
    assert (await client.get("/deeds")).headers["location"] == "/sign-in?next=/deeds"


async def test_a_building_head_sees_the_deeds_of_the_building(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        await filed(town)
    head = await browser(town, client, "王建国")
    assert "李秀英 · 3栋1单元" in await head.get("/deeds?of=area")
    assert "李秀英" not in await head.get("/deeds")
    form = await head.get("/deeds/new")
    assert "3栋1单元</option>" in form
    assert "李秀英 · 1单元" in form


async def test_the_page_of_a_deed_is_for_those_whom_it_concerns(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        assert "公示到" in await (await browser(town, client, "李秀英")).get(f"/deeds/{deed.id}")
        await (await browser(town, client, "张桂兰")).get(f"/deeds/{deed.id}", 404)


async def test_the_person_objects_to_a_reversal_on_the_page(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
    with clock.at(MORNING + timedelta(days=7)):
        await credit_due_deeds(town.system())
        await reverse_deed(await town.scope("赵丽"), deed.id, "重复登记")
    head = await browser(town, client, "李秀英")
    assert "重复登记" in await head.get(f"/deeds/{deed.id}")
    sent = await head.post(f"/deeds/{deed.id}/objection", reason="是两件不同的事")
    assert sent.status_code == 303
    assert "您的异议已经收到" in await head.get(f"/deeds/{deed.id}")
    assert "重复登记" in await head.get("/messages")


# ----------------------------------------------------------------------------------------------------------- the board


async def test_the_board_is_open_to_all_and_a_resident_objects_there(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        await honour_record(town, owner)
    path = f"/board/{town.community}"
    visitor = await client.get(path)
    assert (visitor.status_code, "李秀英" in visitor.text, "李*" in visitor.text) == (200, False, True)
    assert "登录之后可以提出异议" in visitor.text
    assert "提出异议</span>" not in visitor.text
    neighbour = await browser(town, client, "张桂兰")
    board = await neighbour.get(path)
    assert board.count("提出异议</span>") == 1  # not to her own hour
    assert "调解邻里纠纷" in await neighbour.get(f"{path}/deed/{deed.id}")
    sent = await neighbour.post(f"{path}/deed/{deed.id}", reason="那天他不在家")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=objected")
    assert "1 条待核实" in await neighbour.get(path)
    twice = await neighbour.post(f"{path}/deed/{deed.id}", reason="还是不对")
    assert (twice.status_code, "您已经对它提出过异议" in twice.text) == (409, True)


async def test_a_board_is_chosen_where_there_are_several(town: Town, client: httpx.AsyncClient) -> None:
    places = await client.get("/board")
    assert ("凤凰社区" in places.text, "龙泉社区" in places.text) == (True, True)
    assert "现在没有要公示的" in (await client.get(f"/board/{town.communities[SPRING]}")).text
    assert (await client.get(f"/board/{clock.new_id()}")).status_code == 404
    resident = await browser(town, client, "张桂兰")
    client.cookies = httpx.Cookies(resident.cookies)
    assert (await client.get("/board")).headers["location"] == f"/board/{town.community}"


async def test_who_lives_elsewhere_reads_but_does_not_object(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
    stranger = await browser(town, client, "马涛")
    assert "提出异议</span>" not in await stranger.get(f"/board/{town.community}")
    await stranger.get(f"/board/{town.community}/deed/{deed.id}", 404)
    await stranger.get(f"/board/{town.communities[SPRING]}/goods/{deed.id}", 404)


# ----------------------------------------------------------------------------------------------------------- the panel


async def test_a_grid_worker_reviews_in_the_panel(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        first = await filed(town)
        second = await filed(town, by="王建国", person="王建国", area=BUILDING)
    worker = await browser(town, client, "陈明")
    waiting = await worker.get("/admin/deeds")
    assert "李秀英" in waiting
    assert "/admin/people" not in waiting  # a grid worker's panel has no page of residents
    approved = await worker.post(f"/admin/deeds/{first.id}/review", decision="approve", _key="a-1")
    assert approved.headers["location"] == "/admin/deeds?done=approve"
    refused = await worker.post(f"/admin/deeds/{second.id}/review", decision="reject", note="", _key="a-2")
    assert (refused.status_code, "退回要写明原因" in refused.text) == (422, True)
    await worker.post(f"/admin/deeds/{second.id}/review", decision="reject", note="照片不是这栋楼", _key="a-3")
    assert "照片不是这栋楼" in await worker.get(f"/admin/deeds/{second.id}")
    assert "没有等审核的善行" in await worker.get("/admin/deeds")
    assert "每周 3 次" in await worker.get("/admin/deeds/catalogue")


async def test_a_party_is_told_instead_of_given_buttons(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        deed = await filed(town, by="赵丽", person="李秀英")
    admin = await browser(town, client, "赵丽")
    assert "与您有关" in await admin.get("/admin/deeds")
    assert "同意，开始公示" not in await admin.get(f"/admin/deeds/{deed.id}")


@pytest.mark.parametrize("path", ["/admin/deeds", "/admin/deeds/catalogue", "/admin/ledger"])
async def test_the_panel_is_closed_to_residents(town: Town, client: httpx.AsyncClient, path: str) -> None:
    for name in ("张桂兰", "周敏", "李秀英"):
        await (await browser(town, client, name)).get(path, 403)
    client.cookies = httpx.Cookies()
    assert (await client.get(path)).headers["location"].startswith("/sign-in")


async def test_an_administrator_decides_about_an_objection(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        objection = await object_to(await town.scope("张桂兰"), "deed", deed.id, "那天他不在家")
    admin = await browser(town, client, "赵丽")
    assert "那天他不在家" in await admin.get("/admin/deeds?status=objected")
    assert "张桂兰" in await admin.get(f"/admin/objections/{objection.id}")
    blank = await admin.post(f"/admin/objections/{objection.id}", note="核对过")
    assert (blank.status_code, "异议是否属实" in blank.text) == (422, True)
    decided = await admin.post(f"/admin/objections/{objection.id}", upheld="0", note="核对过，属实")
    assert decided.status_code == 303
    assert "没有等决定的异议" in await admin.get("/admin/deeds?status=objected")
    await end_quiet_hours(owner)
    assert "公示照常" in await (await browser(town, client, "张桂兰")).get("/messages")
    await (await browser(town, client, "陈明")).get(f"/admin/objections/{objection.id}", 403)


async def test_the_books_page_says_that_all_is_well_or_what_is_not(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await live_a_little(town)
    admin = await browser(town, client, "赵丽")
    books = await admin.get("/admin/ledger")
    assert "账是平的" in books
    assert "576 分" in books
    await owner.execute("UPDATE stock SET quantity = 3 WHERE quantity = 5")
    assert "账是平的" in await admin.get("/admin/ledger"), "the page shows the last check"
    assert (await admin.post("/admin/ledger/check")).status_code == 303
    await run_ledger_check_job(town.system())
    assert "库存记着 3 件，进出合计是 5 件。" in await admin.get("/admin/ledger")


async def test_a_deed_s_credit_is_reversed_from_the_books(town: Town, client: httpx.AsyncClient) -> None:
    await live_a_little(town)
    entries = (await last_entries(town.system(), limit=50)).items
    credit = next(e for e in entries if e.kind == "deed" and e.source_kind == "deed" and not e.reversed)
    path = f"/admin/ledger/{credit.entry_id}"
    auditor = await browser(town, client, "孙伟")
    assert "冲正这一笔" not in await auditor.get(path)
    admin = await browser(town, client, "吴昊")
    assert "冲正这一笔" in await admin.get(path)
    done = await admin.post(f"{path}/reversal", reason="记错了人", _key="r-1")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/ledger?done=reversed")
    again = await admin.post(f"{path}/reversal", reason="再来一次", _key="r-2")
    assert again.status_code == 422
    assert "账是平的" in await admin.get("/admin/ledger")
    hold = next(e for e in entries if e.kind == "hold")
    assert (await admin.post(f"/admin/ledger/{hold.entry_id}/reversal", reason="不要了")).status_code == 422


# --------------------------------------------------------------------------------------------------------- own balances


async def test_a_statement_shows_balance_and_reason_and_each_number_can_be_asked_why(
    town: Town, client: httpx.AsyncClient
) -> None:
    await live_a_little(town)
    reader = await browser(town, client, "张桂兰")
    shown = await reader.get("/statement")
    assert "506" in shown
    assert "余 506 分" in shown
    assert "站点值守" in shown
    entry = re.search(r'/statement/([0-9a-f-]{36})\?person_id=[^"]*"', shown)
    assert entry is not None
    assert "为什么" in await reader.get(entry.group(0).rstrip('"'))
    assert "余 3 分钟" in await reader.get("/statement?currency=minute")
    other = await browser(town, client, "王建国")
    await other.get(f"/statement/{entry.group(1)}", 404)
    await other.get(f"/statement?person_id={town.people['张桂兰']}", 404)


async def test_a_guardian_turns_to_the_child_s_book(town: Town, client: httpx.AsyncClient) -> None:
    await live_a_little(town)
    guardian = await browser(town, client, "刘洋")
    own = await guardian.get("/statement?currency=class_minute")
    assert "少儿书法" in own
    child = await guardian.get(f"/statement?currency=class_minute&person_id={town.people['刘小雨']}")
    assert "预约课程" in child
    assert "−1 小时" in child


async def test_messages_are_read_all_at_once(town: Town, client: httpx.AsyncClient) -> None:
    reader = await browser(town, client, "张桂兰")
    assert "还没有消息" in await reader.get("/messages")
    await notify(town.system(), town.people["张桂兰"], "card.given", "k", urgent=True)
    assert "1 条未读" in await reader.get("/messages")
    assert (await reader.post("/messages/read")).status_code == 303
    assert "未读" not in await reader.get("/messages")
