"""The inbox's page: what is listed first, what can be selected, who decides the rest."""

import asyncpg

from tests.presence.test_presence_pages import csrf_of, hidden, signed_in, words
from tests.support.inbox import imported_hours, is_due, statuses
from tests.support.presence import served
from tests.support.town import Town
from timebank.inbox.carrying_out import carry_out_decisions

AT = "/admin/inbox?kind=service_record"


async def test_flagged_ones_come_first_and_an_import_is_one_group(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 24)
    await served(town, "周敏", 60)
    shown = words(await (await signed_in(town, "赵丽")).get(AT))
    assert "我能批 1 · 等别人批 24" in shown
    assert "导入：hours.xlsx" in shown
    assert "由街道管理员钱进" in shown
    assert "志愿者就是本站站长" in shown
    assert "张桂兰" not in shown, "what an import has made is in its group"
    street = words(await (await signed_in(town, "钱进")).get(f"{AT}&batch={run}"))
    assert "选中全部 24" in street
    assert "张桂兰" in street


async def test_what_one_may_not_decide_cannot_be_selected(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 12)
    for name in ("赵丽", "孙伟"):
        page = await (await signed_in(town, name)).get(f"{AT}&batch={run}")
        assert 'name="id"' not in page.text, name
        assert 'value="approve"' not in page.text, name


async def test_all_that_match_are_decided_from_the_page_and_undone(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 60)
    street = await signed_in(town, "钱进")
    page = await street.get(f"{AT}&batch={run}")
    form = {
        "_csrf": csrf_of(page),
        "_key": hidden(page, "_key"),
        "batch": str(run),
        "every": "1",
        "kind": "service_record",
    }
    refused = await street.post("/admin/inbox", data=form | {"decision": "reject"})
    assert (refused.status_code, "退回要写明原因" in words(refused)) == (422, True)
    done = await street.post("/admin/inbox", data=form | {"decision": "approve"})
    assert done.headers["location"] == f"{AT}&batch={run}"
    again = await street.post("/admin/inbox", data=form | {"decision": "approve"})
    assert again.status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM mass_decision") == 1
    shown = await street.get(AT)
    assert "同意了 60 件" in words(shown)
    undo = await owner.fetchval("SELECT '/admin/inbox/decisions/' || id || '/undo' FROM mass_decision")
    assert undo in shown.text
    assert (await street.post(undo, data={"_csrf": csrf_of(shown)})).status_code == 303
    assert "已经撤销" in words(await street.get(undo.removesuffix("/undo")))
    assert await statuses(town, owner) == {"pending": 60}


async def test_the_page_of_a_decision_lists_what_was_refused_with_the_reason(
    town: Town, owner: asyncpg.Connection
) -> None:
    run = await imported_hours(town, owner, 6)
    street = await signed_in(town, "钱进")
    page = await street.get(f"{AT}&batch={run}")
    form = {
        "_csrf": csrf_of(page),
        "_key": hidden(page, "_key"),
        "batch": str(run),
        "every": "1",
        "kind": "service_record",
    }
    await street.post("/admin/inbox", data=form | {"decision": "approve"})
    await owner.execute("UPDATE service_record SET status = 'rejected' WHERE person_id = $1", town.people["张桂兰"])
    await is_due(owner)
    await carry_out_decisions()
    decision = await owner.fetchval("SELECT '/admin/inbox/decisions/' || id FROM mass_decision")
    shown = words(await street.get(decision))
    assert "办好 5 件" in shown
    assert "这条记录已经审核过了" in shown


async def test_a_filter_that_cannot_be_read_is_not_asked_for(town: Town) -> None:
    panel = await signed_in(town, "赵丽")
    for asked in ("activity=x&since=gestern&batch=7&flag=%27%22", "since=0001-01-01&until=9999-12-31"):
        assert (await panel.get(f"{AT}&{asked}")).status_code == 200, asked
    assert (await panel.get(f"{AT}&cursor=zz")).status_code == 400, "a broken place in the list is refused in words"
    assert (await panel.get("/admin/audit?since=0001-01-01&until=9999-12-31")).status_code == 200
