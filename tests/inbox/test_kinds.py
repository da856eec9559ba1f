"""The kinds of the inbox: the overview counts what each list holds; deeds are filtered and grouped as records are."""

import re
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from admin import presence
from tests.presence.test_presence_pages import csrf_of, hidden, signed_in, words
from tests.support.counter import kept
from tests.support.inbox import UNIT, imported_deeds, imported_hours
from tests.support.presence import served
from tests.support.town import PHOENIX, Town
from timebank.cards.cards import issue_card
from timebank.cards.confirming import unconfirmed_cards
from timebank.core import clock
from timebank.deeds.filing.filing import file_deed
from timebank.deeds.filing.waiting import decidable, groups, listing
from timebank.deeds.review import review_deed
from timebank.deeds.schemas import DeedIn, DeedOut
from timebank.inbox import deciding, kinds
from timebank.inbox.kinds import Asked
from timebank.matters.opening.opening import open_matter
from timebank.matters.schemas import OpenIn
from timebank.objections.objecting import object_to
from timebank.policies.values import change_policy

AT = "/admin/inbox"


async def a_deed(town: Town, by: str = "李秀英", *, rule: str = "mediation", days_ago: int = 1) -> DeedOut:
    told = DeedIn(
        person_id=town.people["李秀英"], rule_code=rule, area_id=town.areas[UNIT],
        occurred_on=clock.local_day() - timedelta(days=days_ago), note="两家为漏水吵架，说和了",
    )  # fmt: skip
    return await file_deed(await town.scope(by), told)


async def one_of_each_kind(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    """A record, a deed, a matter, a card, an objection, a change and a counter's request wait, some more than once."""
    await town.credit_deed("王建国", 100)
    await imported_hours(town, owner, 12)
    await served(town, "周敏", 60)
    await a_deed(town)
    await a_deed(town, "陈明", days_ago=2)
    published = await a_deed(town, days_ago=3)
    await review_deed(await town.scope("陈明"), published.id, "approve", "")
    await object_to(await town.scope("王建国"), "deed", published.id, "那天没来")
    admin = await town.scope("赵丽")
    await issue_card(admin, town.people["张桂兰"])
    await change_policy(admin, "notice_days", 3)
    counter = await kept(client, town)
    wanted = {
        "person_id": str(town.people["王建国"]), "good_id": str(town.goods["香皂"]), "quantity": 1,
        "station_id": str(town.stations["暖蜂驿站"]),
    }  # fmt: skip
    await counter.ask("POST", "/counter/confirmations", 201, json=wanted)
    await change_policy(await town.scope("赵丽"), "uses_matters", 1)
    broken = {
        "kind": "report", "category": "street_light", "said": "楼下的灯坏了",
        "area_id": town.areas[f"{PHOENIX}/第一网格/3栋"],
    }  # fmt: skip
    for name in ("张桂兰", "李秀英"):
        await open_matter(await town.scope(name), msgspec.convert(broken, OpenIn))


@pytest.mark.parametrize("name", ["赵丽", "钱进", "孙伟"])
async def test_the_overview_counts_of_every_kind_what_its_list_holds(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, name: str
) -> None:
    await one_of_each_kind(town, client, owner)
    street = await town.scope("钱进", town.community)
    await deciding.decide_many(street, "deed", "approve", "", [], Asked(rule="mediation"), every=True)
    panel = await signed_in(town, name)
    overview = (await panel.get("/admin")).text
    scope = await town.scope(name, town.community)
    for kind in kinds.inbox_kinds():
        found = await kinds.decidable(scope, kind)
        listed = await kinds.listing(scope, kind, Asked(), 200)
        assert (len(listed.items), sum(item.mine for item in listed.items)) == (found.waiting, found.mine), kind.noun
        if kind.noun == "deed":
            assert found.waiting == 0, "both were chosen by a decision that is pending"
            continue
        assert found.waiting, kind.noun
        shown = words(await panel.get(f"{AT}?kind={kind.noun}"))
        others = f" · 等别人批 {found.waiting - found.mine}" if found.waiting > found.mine else ""
        assert f"我能批 {found.mine}{others}" in shown, kind.noun
        leads = re.escape(kind.page or f"{AT}?kind={kind.noun}")
        [there] = re.findall(rf'<a class="row" href="{leads}">(.*?)</a>', overview, re.DOTALL)
        others = f"另有 {found.waiting - found.mine} 件由别人决定" if found.waiting > found.mine else ""
        told = " ".join(re.sub("<[^>]+>", " ", there).split())
        assert re.fullmatch(rf"{kind.word}.*?{others} {found.mine}", told), (kind.noun, told)


async def test_deeds_are_filtered_by_rule_day_import_and_doubt(town: Town, owner: asyncpg.Connection) -> None:
    mediated, patrolled = await a_deed(town), await a_deed(town, "陈明", rule="patrol", days_ago=5)
    run = await imported_deeds(town, owner, 14)
    await owner.execute(
        "UPDATE deed SET witness_id = $2, witness_answer = 'denied', witness_answered_at = now() WHERE id = $1",
        mediated.id,
        town.people["王建国"],
    )
    street, today = await town.scope("钱进", town.community), clock.local_day()

    async def found(**asked: object) -> list[UUID]:
        wanted = Asked(**asked)  # type: ignore[arg-type]  # given by name
        listed = [item.id for item in (await listing(street, wanted, 200)).items]
        assert (await decidable(street, wanted)).waiting == len(listed)
        return listed

    assert await found(single=True) == [mediated.id, patrolled.id], "doubts first, then the oldest"
    assert await found(rule="patrol") == [patrolled.id]
    assert await found(doubtful=True) == await found(flag="denied") == [mediated.id]
    assert await found(single=True, since=today - timedelta(days=4)) == [mediated.id]
    assert await found(single=True, until=today - timedelta(days=4)) == [patrolled.id]
    assert len(await found(batch_id=run)) == 14
    [group] = await groups(street)
    assert (group.batch_id, group.waiting, group.people, group.mine) == (run, 14, 6, True)
    [group] = await groups(await town.scope("赵丽"))
    assert (group.mine, any("钱进" in who for who in group.who)) == (False, True), "who imported them decides none"


async def test_an_import_of_deeds_is_decided_as_one_and_the_filter_stays_after_the_undo(
    town: Town, owner: asyncpg.Connection
) -> None:
    await a_deed(town)
    run = await imported_deeds(town, owner, 14)
    street = await signed_in(town, "钱进")
    shown = await street.get(f"{AT}?kind=deed")
    assert "导入：deeds.xlsx" in words(shown)
    page = await street.get(f"{AT}?kind=deed&batch={run}")
    form = {
        "_csrf": csrf_of(page), "_key": hidden(page, "_key"), "batch": str(run), "every": "1", "kind": "deed",
        "decision": "approve",
    }  # fmt: skip
    done = await street.post(AT, data=form)
    assert done.headers["location"] == f"{AT}?kind=deed&batch={run}"
    undo = await owner.fetchval("SELECT '/admin/inbox/decisions/' || id || '/undo' FROM mass_decision")
    pending = await street.get(done.headers["location"])
    assert undo in pending.text
    assert f'name="batch" value="{run}"' in pending.text[pending.text.index(undo) :]
    undone = await street.post(undo, data={"_csrf": csrf_of(pending), "batch": str(run)})
    assert undone.headers["location"] == f"{AT}?kind=deed&batch={run}&undone=14"


async def test_a_row_s_page_leads_to_the_rows_before_and_after_and_a_decision_to_the_next(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Over the end of a page of the list too, with the filter of the list."""
    run = await imported_hours(town, owner, 54)
    await served(town, "周敏", 60)
    street = await signed_in(town, "钱进")
    scope = await town.scope("钱进", town.community)
    kind = kinds.kind_of("service_record")
    ids = [item.id for item in (await kinds.listing(scope, kind, Asked(batch_id=run), 200)).items]
    listed = await street.get(f"{AT}?kind=service_record&batch={run}")
    query = f"?inbox=1&batch={run}"
    assert f'href="/admin/reviews/{ids[0]}{query}"'.replace("&", "&amp;") in listed.text
    for at, before, after in ((0, None, 1), (1, 0, 2), (49, 48, 50)):
        text = (await street.get(f"/admin/reviews/{ids[at]}{query}")).text.replace("&amp;", "&")
        assert (f'href="/admin/reviews/{ids[before or 0]}{query}" data-previous' in text) == (before is not None)
        assert f'href="/admin/reviews/{ids[after]}?inbox=1&batch={run}' in text, at
        assert ("&cursor=" in text) == (at == 49)
    page = await street.get(f"/admin/reviews/{ids[0]}{query}")
    form = {"_csrf": csrf_of(page), "_key": hidden(page, "_key"), "decision": "reject", "note": "没有签名"}
    decided = await street.post(f"/admin/reviews/{ids[0]}{query}", data=form)
    assert decided.headers["location"] == f"/admin/reviews/{ids[1]}{query}&done=1"
    assert "上一件决定了" in words(await street.get(decided.headers["location"]))
    assert "下一件" not in words(await street.get(f"/admin/reviews/{ids[1]}")), "opened from elsewhere"


async def test_every_list_goes_on_page_by_page_and_leaves_none_out(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await one_of_each_kind(town, client, owner)
    await town.give_points("张桂兰", 50)
    await issue_card(await town.scope("赵丽"), town.people["李秀英"])
    await change_policy(await town.scope("赵丽"), "daily_minutes_max", 900)
    wanted = {
        "person_id": str(town.people["张桂兰"]), "good_id": str(town.goods["香皂"]), "quantity": 1,
        "station_id": str(town.stations["暖蜂驿站"]),
    }  # fmt: skip
    await (await kept(client, town)).ask("POST", "/counter/confirmations", 201, json=wanted)
    scope = await town.scope("孙伟")
    for kind in kinds.inbox_kinds():
        whole = [item.id for item in (await kinds.listing(scope, kind, Asked(), 200)).items]
        walked, cursor = [], None
        while True:
            part = await kinds.listing(scope, kind, Asked(), 1, cursor)
            walked += [item.id for item in part.items]
            cursor = part.next
            if cursor is None:
                break
        assert walked == whole, kind.noun
        assert len(whole) >= (1 if kind.noun == "objection" else 2), kind.noun
        assert len(part.items) == 1, f"{kind.noun}: a page holds no more than is asked for"


async def test_the_pages_of_cards_and_of_requests_lead_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the pages of the panel made one row long."""
    await one_of_each_kind(town, client, owner)
    await issue_card(await town.scope("赵丽"), town.people["李秀英"])
    panel = await signed_in(town, "孙伟")
    monkeypatch.setattr(presence, "unconfirmed_cards", partial(unconfirmed_cards, limit=1))
    first = (await panel.get("/admin/presence")).text
    assert "共 2 张" in first
    [further] = re.findall(r'href="(/admin/presence\?cursor=[^"]+)"', first)
    assert ("李秀英" in first, "张桂兰" in first) == (True, False)
    second = (await panel.get(further)).text
    assert ("李秀英" in second, "张桂兰" in second) == (False, True)
    assert "下一页" not in second
