"""An objection to a published deed or record stops its credit until somebody who is not a party decides."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.deeds.test_deeds import MORNING, filed, noticed, points_of
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.deeds.credit import credit_due_deeds
from timebank.deeds.review import review_deed
from timebank.objections.deciding import ObjectionDecided, PartyToDeed, decide_objection
from timebank.objections.objecting import AlreadyObjected, object_to
from timebank.objections.subjects import NotOnNotice, OwnDeed


async def test_an_open_objection_stops_the_credit_until_it_is_decided(town: Town) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        objection = await object_to(await town.scope("张桂兰"), "deed", deed.id, "那天他不在家")
    with clock.at(MORNING + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 0
        await decide_objection(await town.scope("赵丽"), objection.id, False, "核对过监控，属实")
        assert await credit_due_deeds(town.system()) == 1


async def test_an_upheld_objection_rejects_the_deed(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        first = await object_to(await town.scope("张桂兰"), "deed", deed.id, "那天他不在家")
        second = await object_to(await town.scope("欧阳凯伟"), "deed", deed.id, "没听说过")
        await decide_objection(await town.scope("赵丽"), first.id, True, "确实没有这回事")
        with pytest.raises(ObjectionDecided):
            await decide_objection(await town.scope("吴昊"), second.id, False, "属实")
        assert await owner.fetchval("SELECT status FROM deed") == "rejected"
    with clock.at(MORNING + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 0
        assert await points_of(town, "李秀英") == 0


async def test_a_second_open_objection_still_stops_the_credit(town: Town) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        first = await object_to(await town.scope("张桂兰"), "deed", deed.id, "那天他不在家")
        await object_to(await town.scope("欧阳凯伟"), "deed", deed.id, "没听说过")
        await decide_objection(await town.scope("赵丽"), first.id, False, "属实")
    with clock.at(MORNING + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 0


async def test_one_objects_once_not_to_the_own_deed_and_only_while_it_hangs(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        with pytest.raises(NotOnNotice):
            await object_to(await town.scope("张桂兰"), "deed", deed.id, "不属实")
        await review_deed(await town.scope("陈明"), deed.id, "approve", "")
        with pytest.raises(OwnDeed):
            await object_to(await town.scope("李秀英"), "deed", deed.id, "不属实")
        await object_to(await town.scope("张桂兰"), "deed", deed.id, "不属实")
        with pytest.raises(AlreadyObjected):
            await object_to(await town.scope("张桂兰"), "deed", deed.id, "还是不属实")


@pytest.mark.parametrize("decider", ["赵丽", "李秀英", "陈明"])
async def test_a_party_does_not_decide_about_an_objection(town: Town, decider: str) -> None:
    """赵丽 filed the deed, 李秀英 is the one credited, and 陈明 is not an administrator."""
    with clock.at(MORNING):
        deed = await noticed(town, by="赵丽")
        objection = await object_to(await town.scope("张桂兰"), "deed", deed.id, "不属实")
        with pytest.raises((PartyToDeed, Forbidden)):
            await decide_objection(await town.scope(decider), objection.id, True, "不属实")


async def test_who_objected_does_not_decide(town: Town) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        objection = await object_to(await town.scope("赵丽"), "deed", deed.id, "不属实")
        with pytest.raises(PartyToDeed):
            await decide_objection(await town.scope("赵丽"), objection.id, True, "不属实")
        assert (await decide_objection(await town.scope("钱进"), objection.id, True, "不属实")).upheld


async def test_a_credit_and_an_objection_at_once_leave_one_of_them(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
    resident = await town.scope("张桂兰")
    with clock.at(MORNING + timedelta(days=7)):
        credited, objection = await asyncio.gather(
            credit_due_deeds(town.system()), object_to(resident, "deed", deed.id, "不属实"), return_exceptions=True
        )
    status = await owner.fetchval("SELECT status FROM deed")
    assert (credited, status, isinstance(objection, NotOnNotice)) in {(1, "credited", True), (0, "objected", False)}


async def test_anhonour_record_on_notice_can_be_objected_to(town: Town, owner: asyncpg.Connection) -> None:
    record = await honour_record(town, owner)
    objection = await object_to(await town.scope("王建国"), "service_record", record, "那天驿站没开门")
    with pytest.raises(OwnDeed):
        await object_to(await town.scope("张桂兰"), "service_record", record, "不属实")
    with pytest.raises(PartyToDeed):
        await decide_objection(await with_admin(town, owner, "周敏"), objection.id, True, "不属实")
    await decide_objection(await town.scope("赵丽"), objection.id, True, "查了，没开门")
    assert await owner.fetchval("SELECT status FROM service_record WHERE id = $1", record) == "rejected"


async def honour_record(town: Town, owner: asyncpg.Connection) -> UUID:
    """An honour record of 张桂兰 of one hour, entered by 周敏 and on the public board. Returns its id."""
    record, began = clock.new_id(), MORNING - timedelta(days=1)
    await owner.execute(
        "INSERT INTO service_record (community_id, id, kind, person_id, station_id, started_at, ended_at, minutes, "
        "status, flags, entered_by, notice_until, rule_code, created_at) "
        "VALUES ($1, $2, 'honour', $3, $4, $5, $6, 60, 'noticed', '{}', $7, $8, 'service', $5)",
        town.community, record, town.people["张桂兰"], town.stations["暖蜂驿站"], began, began + timedelta(hours=1),
        town.people["周敏"], MORNING + timedelta(days=6),
    )  # fmt: skip
    return record


async def with_admin(town: Town, owner: asyncpg.Connection, name: str) -> Any:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', $4)",
        town.community, clock.new_id(), town.people[name], MORNING,
    )  # fmt: skip
    return await town.scope(name)
