"""Opening: who may open what, limits, receipts of phones without network, similar ones, and the switch."""

from datetime import timedelta

import asyncpg
import pytest

from tests.support.matters import BUILDING, GRID, GRID_HEAD, MORNING, Ground, grant, let_reports_earn
from tests.support.pictures import kept_by
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden, Invalid, NotUsedHere
from timebank.core.scope import Role
from timebank.matters.categories.categories import CategoryNameTaken, NobodyDispatches, list_categories, put_category
from timebank.matters.jobs.purging import purge_matter_texts
from timebank.matters.opening.limits import TooManyMatterPhotos, TooManyMatters
from timebank.matters.opening.openers import CategoryNotForThis
from timebank.matters.opening.opening import ExternalNumberKnown, open_matter
from timebank.matters.opening.similar import similar_matters
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import CategoryIn, OpenIn
from timebank.people.guardianship.guardians import NotGuardian
from timebank.policies.values import change_policy


async def test_a_community_begins_with_26_categories_and_one_for_the_rest(ground: Ground) -> None:
    found = await list_categories(await ground.scope("张桂兰"))
    assert (len(found), found[0].name, found[-1].name) == (27, "井盖", "其他")
    assert {each.code for each in found if each.urgent} == {"manhole", "utilities", "fire_lane", "welfare"}
    assert {each.code for each in found if not each.public} == {"neighbours", "security", "welfare"}
    assert {each.code for each in found if each.due_counts == "workday"} == {"building_works", "property"}
    english = await list_categories(await ground.scope("张桂兰"), language="en")
    assert english[0].name == "Manhole cover"


async def test_where_nobody_dispatches_matters_are_not_switched_on(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role = 'community_admin'")
    with pytest.raises(NobodyDispatches):
        await change_policy(await town.scope("钱进", town.community), "uses_matters", 1)
    with pytest.raises(NotUsedHere):
        await list_categories(await town.scope("张桂兰"))


async def test_a_matter_keeps_the_due_date_that_it_was_given(ground: Ground) -> None:
    matter = await ground.open()
    wanted = CategoryIn(name="路灯", kinds=["report", "event"], due_days=9)
    await put_category(await ground.scope("赵丽"), "street_light", wanted)
    assert (await find_matter(await ground.scope("张桂兰"), matter.id)).due_at == matter.due_at
    assert (await ground.open()).due_at == matter.due_at + timedelta(days=7)
    with pytest.raises(CategoryNameTaken):
        await put_category(await ground.scope("赵丽"), "lamp", wanted)
    with pytest.raises(Forbidden):
        await put_category(await ground.scope(GRID_HEAD), "lamp", wanted)


async def test_ten_a_day_and_the_moment_when_it_is_possible_again(ground: Ground) -> None:
    for _each in range(10):
        await ground.open()
    with pytest.raises(TooManyMatters) as refused:
        await ground.open()
    assert "2026-11-19 00:00" in str(refused.value)
    assert refused.value.retry_after == 15 * 3600 + 50 * 60 + 1
    await ground.open("张国庆")
    await ground.open("周敏", for_person_id=ground.town.people["李秀英"])
    with clock.at(MORNING + timedelta(days=1)):
        await ground.open()


async def test_thirty_pictures_a_day(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = (await ground.open(photo_ids=[await kept_by(ground.town, "张桂兰")])).id
    added = (
        "INSERT INTO attachment (community_id, id, noun, noun_id, photo_id, stage, added_by, added_at) "
        "SELECT community_id, gen_random_uuid(), noun, gen_random_uuid(), $2, stage, added_by, added_at "
        "FROM attachment WHERE noun_id = $1"
    )
    for _each in range(29):
        photo = await kept_by(ground.town, "张桂兰")
        await owner.execute("UPDATE photo SET unattached_until = NULL WHERE id = $1", photo)
        await owner.execute(added, matter, photo)
    with pytest.raises(TooManyMatterPhotos):
        await ground.open(photo_ids=[await kept_by(ground.town, "张桂兰")])


async def test_what_waited_on_the_phone_is_received_once_with_its_own_time(ground: Ground) -> None:
    written = MORNING - timedelta(hours=3)
    first = await ground.open(nonce="phone-4071-5520", written_at=written)
    assert await ground.open(nonce="phone-4071-5520", written_at=written) == first
    seen = await find_matter(await ground.scope("张桂兰"), first.id)
    assert seen.received_at == written
    for nonce, moment, kept in (
        ("phone-long-ago", MORNING - timedelta(days=9), MORNING - timedelta(days=1)),
        ("phone-in-future", MORNING + timedelta(days=9), MORNING),
    ):
        opened = await ground.open(nonce=nonce, written_at=moment)
        assert (await find_matter(await ground.scope("张桂兰"), opened.id)).received_at == kept
    without = await ground.open(written_at=written)
    assert (await find_matter(await ground.scope("张桂兰"), without.id)).received_at == MORNING


@pytest.mark.parametrize(
    ("name", "wanted", "refusal"),
    [
        ("张桂兰", {"category": "welfare", "kind": "event"}, Forbidden),
        ("王建国", {"category": "welfare", "kind": "event"}, CategoryNotForThis),
        ("张桂兰", {"category": "welfare"}, CategoryNotForThis),
        ("张桂兰", {"category": "wish"}, CategoryNotForThis),
        ("张桂兰", {"category": "nothing"}, CategoryNotForThis),
        ("张桂兰", {"kind": "event"}, Forbidden),
        ("张桂兰", {"kind": "pledge", "category": "pledge"}, Forbidden),
        ("张桂兰", {"kind": "order", "category": "repair", "value_max": 5}, Invalid),
        ("张桂兰", {"kind": "wish", "category": "wish"}, Invalid),
        ("张桂兰", {"people_wanted": 2}, Invalid),
        ("张桂兰", {"said": " "}, Invalid),
        ("张桂兰", {"for": "李秀英"}, Forbidden),
        ("张桂兰", {"for": "刘小雨"}, NotGuardian),
        ("周敏", {"for": "刘小雨"}, NotGuardian),
    ],
)
async def test_what_is_not_opened(
    ground: Ground, name: str, wanted: dict[str, object], refusal: type[Exception]
) -> None:
    body = {key: value for key, value in wanted.items() if key != "for"}
    if "for" in wanted:
        body["for_person_id"] = ground.town.people[str(wanted["for"])]
    with pytest.raises(refusal):
        await ground.open(name, **body)


async def test_in_whose_name(ground: Ground, owner: asyncpg.Connection) -> None:
    await grant(owner, ground.town, "周敏", Role.mobile_worker, region_id=ground.town.community)
    people = ground.town.people
    await ground.open("陈明", kind="event", category="manhole", said="1")
    await ground.open("王建国", kind="event", said="2")
    await ground.open("周敏", kind="event", category="manhole", said="3")
    await ground.open("刘洋", for_person_id=people["刘小雨"], said="4")
    await ground.open("陈明", external_number="12345-77", said="5")
    found = await owner.fetch("SELECT reporter_id, for_person_id, entered_by, channel FROM matter ORDER BY said")
    assert [tuple(each) for each in found] == [
        (None, None, people["陈明"], "worker"), (people["王建国"], None, None, "worker"),
        (people["周敏"], None, None, "worker"), (people["刘洋"], people["刘小雨"], None, "member"),
        (None, None, people["陈明"], "hotline"),
    ]  # fmt: skip
    with pytest.raises(ExternalNumberKnown):
        await ground.open("陈明", external_number="12345-77")


@pytest.mark.parametrize(
    ("name", "trigger"), [("王建国", "head_report_confirmed"), ("周敏", "courier_report_confirmed")]
)
async def test_heads_and_couriers_earn_by_their_own_rules(
    ground: Ground, owner: asyncpg.Connection, name: str, trigger: str
) -> None:
    await grant(owner, ground.town, "周敏", Role.mobile_worker, region_id=ground.town.community)
    await let_reports_earn(ground.town)
    matter = await ground.done(name=name, kind="event")
    assert (await ground.confirm(matter)).why == "no_rule"
    await owner.execute("UPDATE rule SET trigger = $1 WHERE code = 'hazard'", trigger)
    other = await ground.done(name=name, kind="event")
    assert (await ground.confirm(other)).award is not None


async def test_similar_ones_nearby_are_shown_before_sending(ground: Ground) -> None:
    areas = ground.town.areas
    older = await ground.open(area_id=areas[f"{BUILDING}/1单元"])
    await ground.open("李秀英", category="noise")
    await ground.open("李秀英", area_id=areas[f"{GRID}/5栋"])
    with clock.at(MORNING + timedelta(minutes=5)):
        await ground.done(name="李秀英", area_id=areas[f"{BUILDING}/1单元"])
    scope = await ground.scope("周敏")
    found = await similar_matters(scope, "street_light", areas[f"{BUILDING}/1单元"])
    assert [each.status for each in found] == ["done", "received"]
    assert (found[1].number, found[1].public_text, found[1].photo_url) == (older.number, None, None)
    with clock.at(MORNING + timedelta(days=15)):
        assert await similar_matters(scope, "street_light", areas[BUILDING]) == []


async def test_the_mark_of_a_phone_is_kept_as_a_hash_for_ninety_days(ground: Ground, owner: asyncpg.Connection) -> None:
    wanted = OpenIn(kind="report", category="noise", area_id=ground.town.areas[BUILDING], said="夜里吵")
    await open_matter(await ground.scope("张桂兰"), wanted, browser="198.51.100.7 Phone")
    mark = await owner.fetchval("SELECT mark FROM matter")
    assert len(mark) == 32
    with clock.at(MORNING + timedelta(days=91)):
        await purge_matter_texts(ground.town.system())
    assert await owner.fetchval("SELECT mark FROM matter") is None
