"""A wish's gift is received at a station and collected with a code, and its giver never learns for whom it is."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matters.test_counter_pages import keeper_with
from tests.support.matters import CONTACT, FIRM, MORNING, Ground
from tests.support.messages import messages_of
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock, names
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.matters.jobs.silence import close_silent_matters
from timebank.matters.loop.refusals import MatterMovedOn, PartyToMatter, WishGoesToStation, WishNotCollected
from timebank.matters.opening.openers import WishTooDear
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import MattersAsked
from timebank.matters.wishes.collecting import GiftOverdue, GiftStands, collect_gift, undo_gift
from timebank.matters.wishes.gifts import WAITS_DAYS, WishNotHere
from timebank.matters.wishes.giving_back import GiftStillAwaited, give_back_gift
from timebank.matters.wishes.receiving import GiftIn, receive_gift, renew_gift
from timebank.matters.wishes.shown import GiftOut
from timebank.matters.wishes.waiting import gift_by_code, gifts_waiting, wishes_on_the_way
from timebank.presence.recent import recent_at
from timebank.shop.collection import WrongCollectionCode
from timebank.shop.schemas import Collection

KEEPER, GIVER, PARENT, CHILD = "周敏", "王建国", "刘洋", "刘小雨"
STATION = "暖蜂驿站"


async def taken(ground: Ground, by: str = GIVER) -> UUID:
    """A wish of a child that somebody has taken."""
    child = ground.town.people[CHILD]
    wish = {"kind": "wish", "category": "wish", "said": "一盏台灯", "value_max": 150, "for_person_id": child}
    matter = (await ground.open(PARENT, place="2单元301", **wish)).id
    if by == CONTACT:
        await ground.dispatch(matter, by="赵丽", unit_id=ground.units[FIRM])
    else:
        await ground.dispatch(matter, by="赵丽", open_to="all")
    await ground.take(matter, by=by)
    return matter


async def received(ground: Ground, matter: UUID, by: str = KEEPER, value: int = 120) -> GiftOut:
    return await receive_gift(await ground.scope(by), matter, GiftIn(ground.town.stations[STATION], value))


async def collected(ground: Ground, matter: UUID, code: str, by: str = KEEPER) -> GiftOut:
    return await collect_gift(await ground.scope(by), matter, Collection(code=code))


async def told(town: Town, name: str) -> list[str]:
    return [message.text for message in await messages_of(town, name)]


async def code_of(ground: Ground, matter: UUID, by: str = PARENT) -> str:
    pickup = (await find_matter(await ground.scope(by), matter)).pickup
    assert pickup is not None
    return pickup.code


async def test_a_lamp_goes_from_giver_to_child_over_the_station(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await taken(ground)
    with pytest.raises(WishGoesToStation):
        await ground.finish(matter, by=GIVER)
    keeper = await ground.scope(KEEPER)
    coming = await wishes_on_the_way(keeper, ground.town.stations[STATION])
    assert [(one.matter_id, one.wish) for one in coming.items] == [(matter, "一盏台灯")]
    gift = await received(ground, matter)
    assert (gift.status, gift.value, gift.overdue) == ("done", 120, False)
    code = await code_of(ground, matter)
    assert any(code in text for text in await told(ground.town, PARENT))
    assert not any(code in text for text in await told(ground.town, GIVER))
    assert (await find_matter(await ground.scope("赵丽"), matter)).pickup is None
    found = await gift_by_code(keeper, f"{code[:4]} {code[4:]}")
    assert found is not None
    assert found.matter_id == matter
    with pytest.raises(WrongCollectionCode):
        await collected(ground, matter, "00000000")
    assert (await collected(ground, matter, code)).status == "closed"
    steps = await owner.fetch("SELECT verb, to_status FROM matter_step WHERE matter_id = $1 ORDER BY at, id", matter)
    assert [tuple(step) for step in steps][-2:] == [("receive", "done"), ("collect", "closed")]
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 0
    admin = await ground.scope("赵丽")
    assert (await list_matters(admin, MattersAsked(unverified=True))).items == []
    assert await owner.fetchval("SELECT (SELECT count(*) FROM deed) + (SELECT count(*) FROM service_record)") == 0
    with pytest.raises(MatterMovedOn):
        await collected(ground, matter, code)


async def test_the_giver_never_learns_for_whom(ground: Ground, client: httpx.AsyncClient) -> None:
    for giver in (GIVER, CONTACT):
        matter = await taken(ground, by=giver)
        hidden = ("单元301", "3栋", CHILD, PARENT)
        await received(ground, matter)
        await collected(ground, matter, await code_of(ground, matter))
        texts = await told(ground.town, giver)
        assert any("已经被领走了" in text for text in texts)
        assert not [text for text in texts for word in hidden if word in text]
        seen = await find_matter(await ground.scope(giver), matter)
        assert (seen.area, seen.area_id, seen.place, seen.reporter, seen.for_person, seen.pickup) == (None,) * 6
        assert seen.said == "一盏台灯"
        path = f"/unit/{ground.town.community}/{matter}" if giver == CONTACT else f"/matters/{matter}"
        page = await (await browser(client, ground.town, giver)).see(path)
        assert not [word for word in hidden if word in page]


async def test_nobody_serves_themselves_and_only_the_keeper_of_the_station_serves(ground: Ground) -> None:
    matter = await taken(ground, by=KEEPER)
    with pytest.raises(PartyToMatter):  # the giver, who keeps the station
        await received(ground, matter)
    with pytest.raises(Forbidden):
        await received(ground, matter, by=GIVER)
    with pytest.raises(WishTooDear):
        await received(ground, matter, by="赵丽", value=201)
    await received(ground, matter, by="赵丽")
    code = await code_of(ground, matter)
    with pytest.raises(PartyToMatter):
        await collected(ground, matter, code)
    with pytest.raises(WishNotCollected):
        await ground.rate(matter, by=PARENT)
    with pytest.raises(WishNotCollected):
        await ground.confirm(matter, by="赵丽", verified="untrue")
    report = (await ground.open()).id
    with pytest.raises(NotFound):
        await received(ground, report)


async def test_not_for_the_keepers_own_family(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await taken(ground)
    town = ground.town
    home = "SELECT household_id FROM person WHERE id = $1"
    await owner.execute(
        f"UPDATE person SET household_id = ({home}) WHERE id = $2", town.people[CHILD], town.people[KEEPER]
    )
    with pytest.raises(PartyToMatter):
        await received(ground, matter)


async def test_of_two_keepers_at_once_one_receives_and_one_hands_over(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    for _each in range(3):
        matter = await taken(ground)
        found = await asyncio.gather(
            received(ground, matter), received(ground, matter, by="赵丽"), return_exceptions=True
        )
        refused = [one for one in found if isinstance(one, TimebankError)]
        assert [one.code for one in refused] == ["matter_moved_on"]
        assert await owner.fetchval("SELECT count(*) FROM wish_gift WHERE matter_id = $1", matter) == 1
        code = await code_of(ground, matter)
        handed = await asyncio.gather(
            *(collected(ground, matter, code, by=by) for by in (KEEPER, "赵丽", KEEPER)), return_exceptions=True
        )
        assert sum(isinstance(one, GiftOut) for one in handed) == 1, handed
        thanked = "SELECT count(*) FROM message WHERE sentence = 'wish_collected.giver' AND about_id = $1"
        assert await owner.fetchval(thanked, matter) == 1
        steps = "SELECT count(*) FROM matter_step WHERE matter_id = $1 AND verb = 'collect'"
        assert await owner.fetchval(steps, matter) == 1


async def test_ten_tries_of_a_code_and_then_nobody_guesses_on(ground: Ground) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    code = await code_of(ground, matter)
    wrong = f"{(int(code) + 1) % 10**8:08}"
    for _each in range(10):
        with pytest.raises(WrongCollectionCode):
            await collected(ground, matter, wrong)
    with pytest.raises(TimebankError) as refused:
        await collected(ground, matter, code)
    assert refused.value.status == 429
    with clock.at(MORNING + timedelta(minutes=16)):
        assert (await collected(ground, matter, code)).status == "closed"


async def test_what_nobody_collects_is_shown_and_renewed(ground: Ground) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    code, station = await code_of(ground, matter), ground.town.stations[STATION]
    with clock.at(MORNING + timedelta(days=WAITS_DAYS + 1)):
        assert await close_silent_matters(ground.town.system()) == 0
        keeper = await ground.scope(KEEPER)
        assert [one.overdue for one in await gifts_waiting(keeper, station)] == [True]
        assert await gift_by_code(keeper, code) is None
        with pytest.raises(GiftOverdue):
            await collected(ground, matter, code)
        assert (await renew_gift(keeper, matter)).overdue is False
        assert await code_of(ground, matter) == code
        assert len([text for text in await told(ground.town, PARENT) if code in text]) == 2
        await renew_gift(keeper, matter)
        assert len([text for text in await told(ground.town, PARENT) if code in text]) == 2
        await collected(ground, matter, code)
        with pytest.raises(WishNotHere):
            await renew_gift(keeper, matter)


async def test_a_mistake_is_undone_within_a_minute_by_who_made_it(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    first = await code_of(ground, matter)
    with pytest.raises(GiftStands):
        await undo_gift(await ground.scope("赵丽"), matter)
    keeper = await ground.scope(KEEPER)
    assert (await undo_gift(keeper, matter)).status == "accepted"
    assert (await undo_gift(keeper, matter)).status == "accepted"
    assert await owner.fetchval("SELECT count(*) FROM pickup WHERE code = $1", first) == 0
    with clock.at(MORNING + timedelta(seconds=30)):
        await received(ground, matter)
        second = await code_of(ground, matter)
        await collected(ground, matter, second)
    with clock.at(MORNING + timedelta(seconds=60)):
        assert (await undo_gift(keeper, matter)).status == "done"
        third = await code_of(ground, matter)
        assert third != second
        await collected(ground, matter, third)
    with clock.at(MORNING + timedelta(minutes=3)), pytest.raises(GiftStands):
        await undo_gift(keeper, matter)
    kinds = await owner.fetch("SELECT kind FROM undone_act ORDER BY undone_at")
    assert [each["kind"] for each in kinds] == ["wish_receipt", "wish_collection"]
    row = await owner.fetchrow("SELECT status, closed_at FROM matter WHERE id = $1", matter)
    assert row is not None
    assert row["status"] == "closed"


async def test_the_counter_receives_and_finds_it_by_the_one_field(ground: Ground, client: httpx.AsyncClient) -> None:
    town, matter = ground.town, await taken(ground)
    station = town.stations[STATION]
    keeper = await browser(client, town, KEEPER)
    number = (await find_matter(await ground.scope(GIVER), matter)).number
    assert "心愿物品" in await keeper.see(f"/desk?station={station}")
    assert "一盏台灯" in await keeper.see(f"/desk/wishes?station={station}&number={number[:4]}+{number[4:]}")
    assert "没有人在送" in await keeper.see(f"/desk/wishes?station={station}&number=00000000")
    dear = await keeper.send(f"/desk/wishes/{matter}/receipt", station_id=station, value=900)
    assert dear.status_code == 422
    assert "最多 200 元" in dear.text
    sent = await keeper.send(f"/desk/wishes/{matter}/receipt", station_id=station, value=99)
    assert sent.status_code == 303, sent.text
    assert "撤销" in await keeper.see(sent.headers["location"])
    assert "收下心愿物品" in await keeper.see(f"/desk?station={station}")
    parent = await browser(client, town, PARENT)
    code = await code_of(ground, matter)
    assert f"{code[:4]} {code[4:]}" in await parent.see(f"/matters/{matter}")
    led = await client.get(f"/desk/redemptions?code={code}", headers=keeper.headers)
    assert led.headers["location"] == f"/desk/wishes/pickup?code={code}"
    assert "一盏台灯" in await keeper.see(led.headers["location"])
    assert "没有找到这个码" in await keeper.see("/desk/wishes/pickup?code=00000001")
    wrong = await keeper.send(f"/desk/wishes/{matter}/collection", code="00000001")
    assert wrong.status_code == 422
    assert (await keeper.send(f"/desk/wishes/{matter}/collection", code=code)).status_code == 303
    assert "已交付" in await keeper.see(f"/desk/wishes/{matter}")


async def test_the_guardian_who_is_scanned_collects_without_a_code(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    keeper, seen = await keeper_with(ground, client, owner, PARENT)
    station = ground.town.stations[STATION]
    counter = await keeper.see(f"/desk?station={station}&scan={seen}")
    assert f"/desk/wishes/{matter}/collection" in counter
    proof = {"presence": seen, "station_id": station}
    assert (await keeper.send(f"/desk/wishes/{matter}/collection", **proof)).status_code == 303
    assert await owner.fetchval("SELECT status FROM matter WHERE id = $1", matter) == "closed"


async def given_back(ground: Ground, matter: UUID, by: str = KEEPER) -> GiftOut:
    return await give_back_gift(await ground.scope(by), matter)


async def test_what_nobody_collects_goes_back_to_who_brought_it(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    code, station = await code_of(ground, matter), ground.town.stations[STATION]
    with pytest.raises(GiftStillAwaited):
        await given_back(ground, matter)
    with clock.at(MORNING + timedelta(days=WAITS_DAYS + 5)):
        keeper = await ground.scope(KEEPER)
        [late] = await gifts_waiting(keeper, station)
        assert (late.overdue, late.days) == (True, WAITS_DAYS + 5)
        gift = await given_back(ground, matter)
        assert (gift.status, gift.overdue, gift.returned_at) == ("received", False, clock.now())
        assert await given_back(ground, matter) == gift, "the same again changes nothing"
        assert await gifts_waiting(keeper, station) == []
        [line] = await recent_at(keeper, station)
        assert (line.name, line.word) == (names.masked(GIVER), "还给了送心愿物品的人"), "not whom the wish is for"
        row = await find_matter(await ground.scope("赵丽"), matter)
        assert (row.status, row.assignee, row.done_at, row.late) == ("received", None, None, False)
        assert any("没有拿到的话" in text for text in await told(ground.town, GIVER))
        assert any("已经还给送来的人" in text for text in await told(ground.town, PARENT))
        assert any(
            "请问清还要不要" in text for text in await told(ground.town, "欧阳凯伟") + await told(ground.town, "赵丽")
        )
        with pytest.raises(TimebankError):
            await collected(ground, matter, code)
        with pytest.raises(WishNotHere):
            await renew_gift(keeper, matter)
        assert await owner.fetchval("SELECT count(*) FROM pickup") == 0
        by = await owner.fetchval("SELECT returned_by FROM wish_gift WHERE matter_id = $1", matter)
        assert by == ground.town.logins[KEEPER]
        assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'give_back_gift'") == 1


async def test_the_wish_is_taken_by_somebody_else_afterwards(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await taken(ground)
    await received(ground, matter)
    with clock.at(MORNING + timedelta(days=WAITS_DAYS + 1)):
        await given_back(ground, matter)
        await ground.dispatch(matter, by="赵丽", unit_id=ground.units[FIRM])
        await ground.take(matter, by=CONTACT)
        await received(ground, matter)
        await collected(ground, matter, await code_of(ground, matter))
        assert await owner.fetchval("SELECT count(*) FROM matter_helper WHERE left_at IS NULL") == 0
        assert not any("已经被领走了" in text for text in await told(ground.town, GIVER))


async def test_no_keeper_gives_back_to_themselves_or_their_family(ground: Ground, owner: asyncpg.Connection) -> None:
    matter, town = await taken(ground), ground.town
    await received(ground, matter)
    with clock.at(MORNING + timedelta(days=WAITS_DAYS + 1)):
        with pytest.raises(Forbidden):
            await given_back(ground, matter, by=GIVER)
        with pytest.raises(Forbidden):
            await given_back(ground, matter, by=PARENT)
        home = "SELECT household_id FROM person WHERE id = $1"
        for near in (GIVER, CHILD):
            kept = await owner.fetchval(home, town.people[near])
            await owner.execute(
                f"UPDATE person SET household_id = ({home}) WHERE id = $2", town.people[KEEPER], town.people[near]
            )
            with pytest.raises(PartyToMatter):
                await given_back(ground, matter)
            await owner.execute("UPDATE person SET household_id = $1 WHERE id = $2", kept, town.people[near])
        assert (await given_back(ground, matter, by="赵丽")).returned_at is not None


async def test_given_back_and_collected_at_once_one_of_them_is_true(ground: Ground, owner: asyncpg.Connection) -> None:
    for _each in range(2):
        matter = await taken(ground)
        await received(ground, matter)
        code = await code_of(ground, matter)
        with clock.at(MORNING + timedelta(days=WAITS_DAYS + 1)):
            await asyncio.gather(
                given_back(ground, matter), renew_gift(await ground.scope(KEEPER), matter),
                collected(ground, matter, code), given_back(ground, matter, by="赵丽"), return_exceptions=True,
            )  # fmt: skip
        gift = await owner.fetchrow("SELECT * FROM wish_gift WHERE matter_id = $1", matter)
        status = await owner.fetchval("SELECT status FROM matter WHERE id = $1", matter)
        assert gift is not None
        ended = {"closed": "collected_at", "received": "returned_at", "done": None}[status]
        assert [gift[name] is not None for name in ("collected_at", "returned_at")] == [
            name == ended for name in ("collected_at", "returned_at")
        ]


async def test_the_keeper_gives_back_on_the_page(ground: Ground, client: httpx.AsyncClient) -> None:
    matter, station = await taken(ground), ground.town.stations[STATION]
    await received(ground, matter)
    keeper = await browser(client, ground.town, KEEPER)
    path = f"/desk/wishes/{matter}/giving-back"
    assert path not in await keeper.see(f"/desk/wishes?station={station}")
    early = await keeper.send(path, station_id=station)
    assert early.status_code == 409
    assert "还没有过" in early.text
    with clock.at(MORNING + timedelta(days=WAITS_DAYS + 1)):
        keeper = await browser(client, ground.town, KEEPER)
        page = await keeper.see(f"/desk/wishes?station={station}")
        assert f"放了 {WAITS_DAYS + 1} 天" in page
        assert path in page
        sent = await keeper.send(path, station_id=station)
        assert "记下了" in await keeper.see(sent.headers["location"])
        assert "还给了送心愿物品的人" in await keeper.see(f"/desk?station={station}")
