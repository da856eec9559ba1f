"""The limit on open objections of a resident, objections that staff enter, and the week in which each is decided."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.deeds.test_deeds import MORNING, noticed
from tests.deeds.test_objections import with_admin
from tests.matrix.test_told import told
from tests.support.shop import API, browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.objections.deciding import PartyToDeed, decide_objection
from timebank.objections.objecting import object_to
from timebank.objections.objectors import TooManyObjections
from timebank.objections.reminding import remind_of_objections


async def board(town: Town, owner: asyncpg.Connection, many: int) -> list[UUID]:
    """Put `many` deeds of 李秀英 on the public board: one is filed, the others are copies of it. Returns their ids."""
    deed = await noticed(town)
    copies = await owner.fetch(
        "INSERT INTO deed SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid()))).* "
        "FROM deed d, generate_series(2, $1) WHERE d.id = $2 RETURNING id",
        many, deed.id,
    )  # fmt: skip
    return [deed.id, *(UUID(bytes=row["id"].bytes) for row in copies)]


async def test_a_resident_has_at_most_three_objections_open(town: Town, owner: asyncpg.Connection) -> None:
    resident = await town.scope("张桂兰")
    with clock.at(MORNING):
        deeds = await board(town, owner, 5)
        opened = [await object_to(resident, "deed", deed, "没见过") for deed in deeds[:3]]
        with pytest.raises(TooManyObjections):
            await object_to(resident, "deed", deeds[3], "没见过")
        await decide_objection(await town.scope("赵丽"), opened[0].id, False, "属实")
        await object_to(resident, "deed", deeds[3], "没见过")
        with pytest.raises(TooManyObjections):
            await object_to(resident, "deed", deeds[4], "没见过")


async def test_objections_at_once_do_not_pass_the_limit(town: Town, owner: asyncpg.Connection) -> None:
    resident = await town.scope("张桂兰")
    with clock.at(MORNING):
        deeds = await board(town, owner, 8)
        answers = await asyncio.gather(
            *(object_to(resident, "deed", deed, "没见过") for deed in deeds), return_exceptions=True
        )
    assert [type(a) for a in answers].count(TooManyObjections) == 5
    assert await owner.fetchval("SELECT count(*) FROM objection") == 3


async def test_staff_object_for_a_resident_beyond_the_limit_and_the_resident_is_told(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    resident, admin = await town.scope("张桂兰"), await town.scope("赵丽")
    with clock.at(MORNING):
        deeds = await board(town, owner, 4)
        for deed in deeds[:3]:
            await object_to(resident, "deed", deed, "没见过")
        body = {"reason": "她来社区说明了情况", "person_id": str(town.people["张桂兰"])}
        address = f"{API}/deeds/{deeds[3]}/objections"
        refused = await client.post(address, json=body, headers=await town.sign_in("欧阳凯伟"))
        assert refused.status_code == 403
        answer = await client.post(address, json=body, headers=await town.sign_in("赵丽"))
        assert answer.status_code == 201
        entered = UUID(answer.json()["id"])
        [text] = await told(owner, town, "张桂兰", "objection_entered")
        assert text.startswith("工作人员替您")
        with pytest.raises(PartyToDeed):
            await decide_objection(admin, entered, True, "我自己提的，我自己定")
        await decide_objection(await with_admin(town, owner, "王建国"), entered, False, "属实")


async def test_nobody_but_staff_objects_in_anothers_name(town: Town) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        for name in ("欧阳凯伟", "周敏", "孙伟"):
            with pytest.raises(Forbidden):
                await object_to(await town.scope(name), "deed", deed.id, "没见过", town.people["张桂兰"])


async def test_who_decides_is_reminded_and_from_the_seventh_day_the_auditor_too(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        await object_to(await town.scope("张桂兰"), "deed", deed.id, "没见过")
    for days, admins, auditors in ((2, 0, 0), (3, 1, 0), (5, 1, 0), (6, 2, 0), (7, 3, 1), (9, 3, 1)):
        with clock.at(MORNING + timedelta(days=days)):
            for _ in range(2):
                await remind_of_objections(town.system())
        assert len(await told(owner, town, "赵丽", "objection_waits")) == admins, days
        assert len(await told(owner, town, "孙伟", "objection_waits")) == auditors, days


async def test_an_administrator_who_is_involved_is_not_asked_to_decide(town: Town, owner: asyncpg.Connection) -> None:
    await with_admin(town, owner, "李秀英")
    with clock.at(MORNING):
        deed = await noticed(town)
        await object_to(await town.scope("张桂兰"), "deed", deed.id, "没见过")
    with clock.at(MORNING + timedelta(days=4)):
        await remind_of_objections(town.system())
    assert await told(owner, town, "李秀英", "objection_waits") == []
    assert len(await told(owner, town, "赵丽", "objection_waits")) == 1


async def test_the_panel_says_until_when_and_what_is_overdue(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    deed = await noticed(town)
    objection = await object_to(await town.scope("张桂兰"), "deed", deed.id, "没见过")
    admin = await browser(client, town, "赵丽")
    assert "以前决定，别让积分一直等着" in await admin.see(f"/admin/objections/{objection.id}")
    assert "过了期限" not in await admin.see("/admin/deeds?status=objected")
    await owner.execute("UPDATE objection SET created_at = created_at - interval '8 days'")
    assert "过了期限" in await admin.see("/admin/deeds?status=objected")


async def test_staff_object_for_a_resident_on_the_boards_page(town: Town, client: httpx.AsyncClient) -> None:
    deed = await noticed(town)
    address = f"/board/{town.community}/deed/{deed.id}"
    assert "替哪位居民提" not in await (await browser(client, town, "张桂兰")).see(address)
    admin = await browser(client, town, "赵丽")
    assert "替哪位居民提" in await admin.see(address)
    refused = await admin.send(address, reason="他来社区说明了情况", resident="没有这个人")
    assert "没有找到这一位居民" in refused.text
    sent = await admin.send(address, reason="他来社区说明了情况", resident="欧阳凯伟")
    assert sent.status_code == 303
