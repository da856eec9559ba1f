"""Units of a county, and what they are to a community."""

import asyncio
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.switches import switch_on
from tests.support.town import SPRING, Town
from tests.support.units import Units
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.units.links import UnitAlreadyLinked, link_unit
from timebank.units.schemas import LinkOut


async def test_the_county_enters_a_unit_once_and_every_community_that_uses_units_finds_it(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    body = {"county_id": str(town.county), "name": "县医院", "kind": "institution"}
    assert (await client.post("/api/v1/units", json=body)).status_code == 401
    for name in ("赵丽", "钱进", "张桂兰", "马涛"):
        refused = await client.post("/api/v1/units", json=body, headers=await town.sign_in(name))
        assert refused.status_code == 403
    county = await town.sign_in("吴昊")
    made = await client.post("/api/v1/units", json=body, headers=county)
    assert (made.status_code, made.json()["links"]) == (201, [])
    again = await client.post("/api/v1/units", json=body, headers=county)
    assert (again.status_code, again.json()["code"]) == (409, "unit_name_taken")
    for name in ("张桂兰", "何静"):
        seen = await client.get("/api/v1/units", headers=await town.sign_in(name))
        assert [u["name"] for u in seen.json()["items"]] == ["供电公司", "县税务局", "县医院"]
    found = await client.get("/api/v1/units?q=xianyi", headers=county)
    assert [u["name"] for u in found.json()["items"]] == ["县医院"]
    kinds = await client.get("/api/v1/units?kind=utility", headers=county)
    assert [u["name"] for u in kinds.json()["items"]] == ["供电公司"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"kind": "party"}, 400, "bad_request"),
        ({"name": "长" * 61}, 400, "bad_request"),
        ({"name": "\u200b"}, 422, "invalid"),
        ({"county_id": str(UUID(int=7))}, 404, "not_found"),
        ({"county_id": "street"}, 422, "invalid"),
    ],
)
async def test_a_unit_that_cannot_be_is_refused(
    town: Town, units: Units, client: httpx.AsyncClient, change: dict[str, str], status: int, code: str
) -> None:
    body = {"county_id": str(town.county), "name": "县医院", "kind": "institution"} | change
    if body["county_id"] == "street":
        body["county_id"] = str(town.street)
    refused = await client.post("/api/v1/units", json=body, headers=await town.sign_in("吴昊"))
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_a_unit_is_renamed_and_taken_out_of_use_by_the_county_alone(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    address, county = f"/api/v1/units/{units.tax}", await town.sign_in("吴昊")
    refused = await client.patch(address, json={"name": "税务局"}, headers=await town.sign_in("赵丽"))
    assert refused.status_code == 403
    taken = await client.patch(address, json={"name": "供电公司"}, headers=county)
    assert (taken.status_code, taken.json()["code"]) == (409, "unit_name_taken")
    changed = await client.patch(address, json={"name": "税务局", "active": False}, headers=county)
    assert (changed.json()["name"], changed.json()["active"]) == ("税务局", False)
    left = await client.get("/api/v1/units", headers=county)
    assert [u["name"] for u in left.json()["items"]] == ["供电公司"]
    person = {"person_id": str(town.people["张桂兰"]), "unit_id": str(units.tax)}
    late = await client.post("/api/v1/affiliations", json=person, headers=await town.sign_in("张桂兰"))
    assert (late.status_code, late.json()["code"]) == (422, "unit_unknown")


async def test_a_community_links_a_unit_and_ends_it_and_another_community_sees_nothing_of_it(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    address, admin = f"/api/v1/units/{units.tax}/links", await town.sign_in("赵丽")
    assert (await client.post(address, json={"kind": "co_builder"})).status_code == 401
    for name in ("张桂兰", "孙伟", "马涛"):
        refused = await client.post(address, json={"kind": "co_builder"}, headers=await town.sign_in(name))
        assert refused.status_code == 403
    made = await client.post(address, json={"kind": "co_builder"}, headers=admin)
    assert (made.status_code, made.json()["starts_on"]) == (201, clock.local_day().isoformat())
    again = await client.post(address, json={"kind": "co_builder"}, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "unit_already_linked")
    unknown = await client.post(f"/api/v1/units/{UUID(int=4)}/links", json={"kind": "sponsor"}, headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unit_unknown")
    for name, links in (("张桂兰", ["co_builder"]), ("何静", [])):
        seen = await client.get("/api/v1/units?q=税务", headers=await town.sign_in(name))
        assert [u["links"] for u in seen.json()["items"]] == [links]
    ending = f"/api/v1/units/links/{made.json()['id']}"
    assert (await client.delete(ending, headers=await town.sign_in("何静"))).status_code == 404
    for _ in range(2):
        assert (await client.delete(ending, headers=admin)).status_code == 204
    assert (await client.post(address, json={"kind": "co_builder"}, headers=admin)).status_code == 201


async def test_two_administrators_who_link_a_unit_at_once_link_it_once(town: Town, units: Units) -> None:
    scope = await town.scope("赵丽")
    done = await asyncio.gather(*(link_unit(scope, units.tax, "sponsor") for _ in range(4)), return_exceptions=True)
    assert len([one for one in done if isinstance(one, LinkOut)]) == 1
    assert len([one for one in done if isinstance(one, UnitAlreadyLinked)]) == 3


async def test_a_community_that_has_not_switched_units_on_has_none(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "UPDATE policy SET value = 0 WHERE name = 'uses_units' AND community_id = $1", town.communities[SPRING]
    )
    headers, person = await town.sign_in("何静"), str(town.people["何静"])
    for method, address, body in (
        ("GET", "/units", None),
        ("POST", f"/units/{units.tax}/links", {"kind": "handler"}),
        ("POST", "/affiliations", {"person_id": person, "unit_id": str(units.tax)}),
    ):
        refused = await client.request(method, f"/api/v1{address}", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_used_here")
    await switch_on(owner, town.communities[SPRING], "units")
    assert (await client.get("/api/v1/units", headers=headers)).status_code == 200


def test_what_is_not_used_here_is_said_in_words() -> None:
    assert TimebankError.by_code["not_used_here"].status == 404
