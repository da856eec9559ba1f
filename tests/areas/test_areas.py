"""Regions and areas: who adds them and at which level; addresses; the policies of a community."""

import asyncpg
import httpx
import pytest

from tests.support.town import PHOENIX, SPRING, Town, operating
from timebank.areas.addresses import Address, area_in_words, find_or_add_areas, place_in_words
from timebank.areas.places import add_region, areas_of, natural_key
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.policies.values import policies

AREAS = "/api/v1/areas"


async def test_an_administrator_builds_the_community_from_grid_to_unit(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("赵丽")
    grid = await client.post(AREAS, headers=headers, json={"kind": "grid", "name": "第二网格"})
    assert grid.status_code == 201
    assert grid.json()["community_id"] == str(town.community)
    building = {"kind": "building", "name": "１0 栋", "parent_id": grid.json()["id"]}
    made = await client.post(AREAS, headers=headers, json=building)
    assert made.json()["parent_id"] == grid.json()["id"]
    again = await client.post(AREAS, headers=headers, json=building)
    assert (again.status_code, again.json()["code"]) == (409, "place_name_taken")
    unit = {"kind": "unit", "name": "1单元", "parent_id": grid.json()["id"]}
    refused = await client.post(AREAS, headers=headers, json=unit)
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_parent")
    renamed = await client.patch(f"{AREAS}/{made.json()['id']}", headers=headers, json={"name": "10栋"})
    assert renamed.json()["name"] == "10栋"


async def test_places_are_listed_from_the_county_down(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get(AREAS)).status_code == 401
    headers = await town.sign_in("张桂兰")
    found = (await client.get(AREAS, headers=headers)).json()["items"]
    assert [place["name"] for place in found] == [
        *("清江县", "城关街道", PHOENIX, "第一网格", "3栋", "1单元", "2单元", "5栋", "1单元", "2单元"),
    ]  # fmt: skip
    first = await client.get(AREAS, headers=headers, params={"limit": 4})
    assert 'rel="next"' in first.headers["link"]
    rest = (await client.get(AREAS, headers=headers, params={"limit": 200, "cursor": first.json()["next"]})).json()
    assert [*first.json()["items"], *rest["items"]] == found
    assert rest["next"] is None
    assert (await client.get(AREAS, headers=headers, params={"cursor": "没有"})).status_code == 400


async def test_who_may_add_what(town: Town, client: httpx.AsyncClient) -> None:
    grid = {"kind": "grid", "name": "第九网格"}
    assert (await client.post(AREAS, json=grid)).status_code == 401
    assert (await client.post(AREAS, headers=await town.sign_in("张桂兰"), json=grid)).status_code == 403
    community = {"kind": "community", "name": "锦绣社区", "parent_id": str(town.street)}
    assert (await client.post(AREAS, headers=await town.sign_in("赵丽"), json=community)).status_code == 403
    made = await client.post(AREAS, headers=await town.sign_in("钱进"), json=community)
    assert made.status_code == 201
    assert made.json()["community_id"] == made.json()["id"]
    street = {"kind": "street", "name": "新街街道", "parent_id": str(town.county)}
    assert (await client.post(AREAS, headers=await town.sign_in("钱进"), json=street)).status_code == 403
    founded = await client.post(AREAS, headers=await town.sign_in("吴昊"), json=street)
    assert founded.status_code == 201
    below = {"kind": "community", "name": "新街社区", "parent_id": founded.json()["id"]}
    assert (await client.post(AREAS, headers=await town.sign_in("吴昊"), json=below)).status_code == 201
    assert (await client.post(AREAS, headers=await town.sign_in("钱进"), json=below)).status_code == 404
    county = {"kind": "county", "name": "第二县"}
    assert (await client.post(AREAS, headers=await town.sign_in("吴昊"), json=county)).status_code == 403


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "planet", "name": "火星"},
        {"kind": "grid", "name": ""},
        {"kind": "grid", "name": "第\x00网格"},
        {"kind": "grid", "name": "长" * 61},
        {"kind": "grid", "name": "甲", "colour": "red"},
        {"kind": "grid"},
    ],
)
async def test_a_place_that_makes_no_sense_is_refused(
    town: Town, client: httpx.AsyncClient, bad: dict[str, str]
) -> None:
    refused = await client.post(AREAS, headers=await town.sign_in("赵丽"), json=bad)
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_another_communitys_area_is_not_there(town: Town, client: httpx.AsyncClient) -> None:
    foreign = town.areas[f"{SPRING}/第一网格"]
    headers = await town.sign_in("赵丽")
    assert (await client.patch(f"{AREAS}/{foreign}", headers=headers, json={"name": "我的"})).status_code == 404
    under = {"kind": "building", "name": "9栋", "parent_id": str(foreign)}
    assert (await client.post(AREAS, headers=headers, json=under)).status_code == 404


async def test_the_first_county_is_founded_by_command(town: Town) -> None:
    command = Scope.of_system(clock.new_id(), via="command")
    async with operating():
        county = await add_region(command, "county", "云山县", None)
        street = await add_region(command, "street", "云山街道", county.id)
        community = await add_region(command, "community", "云山社区", street.id)
    assert community.community_id == community.id
    with pytest.raises(NotFound):
        await add_region(await town.scope("吴昊"), "street", "混进来的街道", county.id)
    with pytest.raises(Forbidden):
        await add_region(await town.scope("赵丽"), "community", "越级社区", town.street)


async def test_written_addresses_find_their_areas_and_add_the_missing_ones(town: Town) -> None:
    scope = await town.scope("赵丽")
    wanted = {
        Address("第一网格", "3栋", "1单元"),
        Address(None, "5栋", "2单元"),
        Address("第二网格", "12栋", "1单元"),
        Address(None, None, None),
    }
    found = await find_or_add_areas(scope, wanted)
    assert found[Address("第一网格", "3栋", "1单元")] == town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    assert found[Address(None, "5栋", "2单元")] == town.areas[f"{PHOENIX}/第一网格/5栋/2单元"]
    assert found[Address(None, None, None)] is None
    again = await find_or_add_areas(scope, wanted)
    assert again == found
    assert [a.name for a in await areas_of(scope)].count("12栋") == 1


def test_names_with_numbers_are_sorted_as_people_count() -> None:
    names = ["10栋", "2栋", "第十一网格", "第二网格", "第十网格", "A座", "第一网格"]
    assert sorted(names, key=natural_key)[:2] == ["2栋", "10栋"]
    grids = [name for name in sorted(names, key=natural_key) if "网格" in name]
    assert grids == ["第一网格", "第二网格", "第十网格", "第十一网格"]


async def test_a_policy_is_changed_within_its_bounds_and_says_who_changed_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    address = "/api/v1/policies"
    assert (await client.get(address)).status_code == 401
    headers = await town.sign_in("赵丽")
    changed = await client.put(f"{address}/hold_days", headers=headers, json={"value": 3})
    assert (changed.status_code, changed.json()["value"]) == (200, 3)
    assert changed.json()["changed_by"] == str(town.people["赵丽"])
    assert (await policies(await town.scope("张桂兰"))).hold_days == 3
    assert (await policies(await town.scope("何静"))).hold_days == 7
    for name, value, status in (("hold_days", 0, 422), ("hold_days", 99999, 422), ("no_such", 1, 422)):
        assert (await client.put(f"{address}/{name}", headers=headers, json={"value": value})).status_code == status
    volunteer = await town.sign_in("张桂兰")
    assert (await client.put(f"{address}/hold_days", headers=volunteer, json={"value": 5})).status_code == 403
    seen = {policy["name"]: policy for policy in (await client.get(address, headers=volunteer)).json()}
    assert seen["hold_days"]["value"] == 3
    assert seen["hold_days"]["changed_by"] is None


async def test_an_area_has_the_same_words_everywhere(town: Town, owner: asyncpg.Connection) -> None:
    places = {place.id: place for place in await areas_of(await town.scope("赵丽"))}
    found = await owner.fetch(
        f"SELECT a.id, {area_in_words('a')} AS words FROM area a WHERE a.community_id = $1", town.community
    )
    assert {row["id"]: row["words"] for row in found} == {id_: place_in_words(id_, places) for id_ in places}
    assert {row["words"] for row in found} == {
        "第一网格", "3栋", "3栋1单元", "3栋2单元", "5栋", "5栋1单元", "5栋2单元",
    }  # fmt: skip
