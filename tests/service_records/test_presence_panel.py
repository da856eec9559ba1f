"""Panel pages: reviews, honour hours, stations, activities, rules."""

import re

import asyncpg
import httpx
import pytest

from tests.presence.test_presence_pages import browser, csrf_of, hidden, signed_in, words
from tests.support.presence import count, nine_o_clock, points_of, record_id_of, served
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.core import clock
from timebank.http.callers import DEVICE_COOKIE
from timebank.presence.forgotten import close_forgotten
from timebank.service_records import review
from timebank.service_records.schemas import ReviewIn
from timebank.stations.stations import station_row


async def post(
    admin: httpx.AsyncClient, path: str, data: dict[str, object], *, at: str = "/admin/rules"
) -> httpx.Response:
    return await admin.post(path, data={"_csrf": csrf_of(await admin.get(at))} | data)


@pytest.mark.parametrize("path", ["inbox", "stations", "activities", "rules"])
async def test_the_panel_is_for_those_who_read_the_books(town: Town, path: str) -> None:
    assert (await browser().get(f"/admin/{path}")).status_code == 303
    for name, status in (("张桂兰", 403), ("周敏", 403), ("孙伟", 200), ("赵丽", 200), ("钱进", 200)):
        assert (await (await signed_in(town, name)).get(f"/admin/{path}")).status_code == status, name


# -------------------------------------------------------------------------------------------------------------- reviews


async def test_what_is_doubtful_is_shown_in_words_and_approved(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "周敏", 60)
    admin = await signed_in(town, "赵丽")
    assert (await admin.get("/admin/reviews")).headers["location"] == "/admin/inbox?kind=service_record"
    listed = await admin.get("/admin/inbox?kind=service_record")
    assert "我能批 1" in words(listed)
    assert "志愿者就是本站站长" in words(listed)
    path = f"/admin/reviews/{await record_id_of(owner, town, '周敏')}"
    page = await admin.get(path)
    assert "扫驿站码" in words(page)
    form = {"decision": "approve", "note": "当面核实", "_key": hidden(page, "_key")}
    assert (await post(admin, path, dict(form))).status_code == 303
    assert "已入账" in words(await admin.get(path))
    assert await points_of(town, "周敏") == 10
    again = await post(admin, path, dict(form))
    assert again.status_code == 303
    assert await points_of(town, "周敏") == 10


async def test_several_are_approved_at_once_and_the_own_stay(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "周敏", 60)
    begin = nine_o_clock()
    admin = await signed_in(town, "赵丽")
    entered = {"person_id": str(town.people["赵丽"]), "day": f"{clock.local(begin):%Y-%m-%d}"}
    entered |= {"at": "09:00", "minutes": "60", "reason": "停电", "_key": "own-hours"}
    assert (await post(admin, "/admin/reviews/hours", dict(entered))).status_code == 303
    chosen = [str(r["id"]) for r in await owner.fetch("SELECT id FROM service_record")]
    done = await post(admin, "/admin/reviews", {"record": [*chosen, "nonsense"]})
    assert done.headers["location"] == "/admin/inbox?kind=service_record&approved=1&refused=2"
    page = await admin.get(done.headers["location"])
    assert "已同意 1 条" in words(page)
    assert "有 2 条没有同意" in words(page)
    assert await points_of(town, "周敏") == 10
    assert await points_of(town, "赵丽") == 0


async def test_rejecting_asks_for_the_reason(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "周敏", 60)
    admin, path = await signed_in(town, "赵丽"), f"/admin/reviews/{await record_id_of(owner, town, '周敏')}"
    refused = await post(admin, path, {"decision": "reject", "note": " "})
    assert (refused.status_code, "退回要写明原因" in words(refused)) == (422, True)
    assert (await post(admin, path, {"decision": "reject", "note": "不在站"})).status_code == 303
    assert "不在站" in words(await admin.get(path))


async def test_a_forgotten_end_is_corrected_on_its_page_and_approved_by_somebody_else(
    town: Town, owner: asyncpg.Connection
) -> None:
    from tests.support.presence import scanned, station_code

    begin = nine_o_clock(2)
    with clock.at(begin):
        await scanned(await town.scope("张桂兰"), station_code(town))
    await close_forgotten(town.system())
    admin, path = await signed_in(town, "赵丽"), f"/admin/reviews/{await record_id_of(owner, town, '张桂兰')}"
    listed = await admin.get("/admin/inbox?kind=service_record")
    assert "要逐条核实" in words(listed)
    assert 'name="id"' not in listed.text, "what was forgotten is not approved in passing"
    assert "忘记签退" in words(await admin.get(path))
    form: dict[str, object] = {"decision": "approve", "note": "站长说十一点走的", "at": "11:00"}
    wrong = await post(admin, path, form | {"day": f"{clock.local(begin):%Y-%m-%d}", "at": "08:00"})
    assert wrong.status_code == 422
    assert (await post(admin, path, form | {"day": f"{clock.local(begin):%Y-%m-%d}"})).status_code == 303
    assert "请由另一位管理员来同意" in words(await admin.get(path))
    assert await points_of(town, "张桂兰") == 0
    record_id = await record_id_of(owner, town, "张桂兰")
    await review.review_record(await town.scope("钱进"), record_id, ReviewIn("approve"))
    assert await points_of(town, "张桂兰") == 20


async def test_a_credited_record_is_reversed_with_a_reason(town: Town, owner: asyncpg.Connection) -> None:
    await served(town, "张桂兰", 60)
    admin, path = await signed_in(town, "赵丽"), f"/admin/reviews/{await record_id_of(owner, town, '张桂兰')}"
    page = await admin.get(path)
    form = {"reason": "别人代扫", "_key": hidden(page, "_key")}
    assert (await post(admin, f"{path}/reversal", dict(form))).status_code == 303
    assert "已冲正" in words(await admin.get(path))
    assert await points_of(town, "张桂兰") == 0
    auditor = await signed_in(town, "孙伟")
    assert "冲正这条服务" not in words(await auditor.get(path))
    assert (await post(auditor, f"{path}/reversal", dict(form))).status_code == 403


async def test_a_grid_worker_enters_hours_for_a_person_of_the_own_grid(town: Town, owner: asyncpg.Connection) -> None:
    worker = await signed_in(town, "陈明")
    found = await post(worker, "/admin/reviews/hours/search", {"q": "张桂兰"})
    link = re.search(r'href="(/admin/reviews/hours\?person_id=[0-9a-f-]+)"', found.text)
    assert link
    page = await worker.get(link[1].replace("&amp;", "&"))
    form: dict[str, object] = {
        "_csrf": csrf_of(page), "_key": hidden(page, "_key"), "person_id": hidden(page, "person_id"),
        "day": f"{clock.local(nine_o_clock()):%Y-%m-%d}", "at": "09:00", "minutes": "90", "reason": "停电，纸上签到",
    }  # fmt: skip
    refused = await worker.post("/admin/reviews/hours", data=form | {"minutes": "0"})
    assert (refused.status_code, "时长" in words(refused)) == (422, True)
    for _ in range(2):
        done = await worker.post("/admin/reviews/hours", data=form)
        assert "已补录" in words(await worker.get(done.headers["location"]))
    assert await count(owner, "service_record", "kind = 'honour' AND minutes = 90") == 1
    assert (await (await signed_in(town, "张桂兰")).get("/admin/reviews/hours")).status_code == 403
    assert (await worker.get("/admin/reviews")).status_code == 403


# ------------------------------------------------------------------------------------------------------------- stations


async def test_a_station_is_added_changed_and_given_a_screen(town: Town) -> None:
    admin = await signed_in(town, "赵丽")
    form: dict[str, object] = {"name": "米邻驿站", "address": "东街 3 号", "opens_at": "08:30", "closes_at": "17:30"}
    made = await post(admin, "/admin/stations", form)
    path = made.headers["location"].split("?")[0]
    assert "米邻驿站" in words(await admin.get(made.headers["location"]))
    taken = await post(admin, "/admin/stations", form)
    assert (taken.status_code, "同名" in words(taken)) == (409, True)
    changed = await post(admin, path, form | {"name": "米邻站", "address": "", "active": "true"})
    assert changed.status_code == 303
    page = words(await admin.get(path))
    assert "米邻站" in page
    assert "东街" not in page
    shown = await post(admin, f"{path}/devices", {"name": "门口大屏", "kind": "display"})
    link = re.search(r"http://test/display/(tbp_[A-Za-z0-9_-]+)", shown.text)
    assert link
    screen = browser()
    assert (await screen.post(f"/display/{link[1]}")).status_code == 303
    page_again = await admin.get(path)
    assert link[1] not in page_again.text, "the link is shown once"
    end = re.search(r'action="(/admin/stations/[^"]+/end)"', page_again.text)
    assert end
    assert (await post(admin, end[1], {})).status_code == 303
    assert await devices.find_device(screen.cookies[DEVICE_COOKIE]) is None
    closed = await post(admin, path, form | {"name": "米邻站"})
    assert closed.status_code == 303
    assert "已停用" in words(await admin.get(path))


async def test_a_new_key_needs_a_reason(town: Town) -> None:
    admin, station = await signed_in(town, "赵丽"), town.stations["暖蜂驿站"]
    assert (await post(admin, f"/admin/stations/{station}/key", {"reason": ""})).status_code == 422
    assert (await post(admin, f"/admin/stations/{station}/key", {"reason": "码被拍了"})).status_code == 303
    row = await station_row(town.system(), station)
    assert row is not None
    assert row.code_epoch == 2
    assert (
        await post(await signed_in(town, "孙伟"), f"/admin/stations/{station}/key", {"reason": "x"})
    ).status_code == 403


# ------------------------------------------------------------------------------------------------- activities and rules


async def test_an_activity_is_added_with_a_shift_that_can_be_called_off(town: Town) -> None:
    admin = await signed_in(town, "赵丽")
    form: dict[str, object] = {"name": "清洁家园", "rule_code": "service", "needs_sign_up": "true"}
    made = await post(admin, "/admin/activities", form)
    path = made.headers["location"].split("?")[0]
    day = f"{clock.local(nine_o_clock(-3)):%Y-%m-%d}"
    shift: dict[str, object] = {
        "station_id": str(town.stations["暖蜂驿站"]), "day": day, "at": "09:00", "minutes": "120", "seats": "5",
    }  # fmt: skip
    assert (await post(admin, f"{path}/shifts", shift)).status_code == 303
    assert (await post(admin, f"{path}/shifts", shift | {"minutes": "5"})).status_code == 422
    page = await admin.get(path)
    assert "0 / 5" in words(page)
    off = re.search(r'action="(/admin/activities/[^"]+/cancellation)"', page.text)
    assert off
    assert (await post(admin, off[1], {})).status_code == 303
    assert "已取消" in words(await admin.get(path))
    changed = await post(admin, path, {"name": "清洁家园", "rule_code": "service", "description": ""})
    assert changed.status_code == 303
    assert "已结束" in words(await admin.get(path))


async def test_a_rule_is_added_and_changed_into_its_next_version(town: Town) -> None:
    admin = await signed_in(town, "赵丽")
    made = await post(admin, "/admin/rules", {"kind": "deed", "name": "助老送餐", "points": "5", "unit": "每次"})
    path = made.headers["location"].split("?")[0]
    assert "每次 5 分" in words(await admin.get(path))
    form: dict[str, object] = {
        "name": "助老送餐", "points": "6", "unit": "每次", "cap_period": "day", "cap_per_person": "2", "active": "true",
    }  # fmt: skip
    assert (await post(admin, path, form)).status_code == 303
    page = words(await admin.get(path))
    for each in ("v2", "v1", "每次 6 分，每人每天最多 2 次", "每次 5 分", "赵丽"):
        assert each in page, each
    refused = await post(admin, path, form | {"points": ""})
    assert refused.status_code == 422
    assert (await post(await signed_in(town, "孙伟"), path, form)).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/scans/%00", "/desk?scan=%00", "/admin/rules/%00", "/api/v1/rules/%00/versions", "/c/%00", "/p/%00",
        "/display/%00", "/desk/pair/%00", "/admin/reviews/hours?q=%00", "/admin/reviews?status=%00",
        "/me/code?person_id=%00",
    ],
)  # fmt: skip
async def test_an_address_with_a_nul_byte_is_refused_and_not_a_fault(town: Town, path: str) -> None:
    for name in ("赵丽", "周敏"):
        assert (await (await signed_in(town, name)).get(path)).status_code < 500
