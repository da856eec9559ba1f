"""Reporting in from a unit: by the person or an administrator, one unit at a time, and ending it."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import Town
from tests.support.units import Units, reported
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.units.affiliations import (
    AlreadyReportedIn,
    CannotReportIn,
    ReportedOnWrong,
    ReportingOverlaps,
    Stand,
    leave_unit,
    report_in,
    require_may_report,
)
from timebank.units.schemas import AffiliationIn, AffiliationOut

TODAY = date(2026, 12, 1)
FREE = Stand(status="active", born_on=date(1980, 1, 1), open_id=None, open_unit=None, ended_on=None)


def stand(**changed: object) -> Stand:
    known = {name: getattr(FREE, name) for name in FREE.__struct_fields__}
    return Stand(**(known | changed))


@pytest.mark.parametrize(
    ("facts", "since", "own", "refusal"),
    [
        (FREE, TODAY, True, None),
        (FREE, TODAY - timedelta(days=300), False, None),
        (FREE, TODAY - timedelta(days=1), True, ReportedOnWrong),
        (FREE, TODAY + timedelta(days=1), False, ReportedOnWrong),
        (stand(open_id=UUID(int=1), open_unit=UUID(int=2)), TODAY, False, AlreadyReportedIn),
        (stand(ended_on=TODAY), TODAY, True, None),
        (stand(ended_on=TODAY), TODAY - timedelta(days=1), False, ReportingOverlaps),
        (stand(born_on=None), TODAY, True, None),
        (stand(born_on=date(2012, 12, 1)), TODAY, False, None),
        (stand(born_on=date(2012, 12, 2)), TODAY, False, CannotReportIn),
        (stand(status="left"), TODAY, False, CannotReportIn),
        (stand(status="blocked"), TODAY, False, CannotReportIn),
    ],
)
def test_who_may_report_in(facts: Stand, since: date, own: bool, refusal: type[TimebankError] | None) -> None:
    if refusal is None:
        require_may_report(facts, since, TODAY, own=own)
    else:
        with pytest.raises(refusal):
            require_may_report(facts, since, TODAY, own=own)


async def test_somebody_reports_in_and_leaves_and_reports_in_again(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    headers, person = await town.sign_in("张桂兰"), str(town.people["张桂兰"])
    body = {"person_id": person, "unit_id": str(units.tax)}
    assert (await client.post("/api/v1/affiliations", json=body)).status_code == 401
    made = await client.post("/api/v1/affiliations", json=body, headers=headers)
    assert (made.status_code, made.json()["unit_name"]) == (201, "县税务局")
    again = await client.post("/api/v1/affiliations", json=body, headers=headers)
    assert again.json() == made.json()
    other = await client.post("/api/v1/affiliations", json=body | {"unit_id": str(units.power)}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "already_reported_in")
    address = f"/api/v1/affiliations/{made.json()['id']}"
    for _ in range(2):
        assert (await client.delete(address, headers=headers)).status_code == 204
    moved = await client.post("/api/v1/affiliations", json=body | {"unit_id": str(units.power)}, headers=headers)
    assert (moved.status_code, moved.json()["unit_name"]) == (201, "供电公司")


async def test_nobody_reports_another_in_but_an_administrator_of_the_community(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    body = {"person_id": str(town.people["李秀英"]), "unit_id": str(units.tax), "reported_on": "2026-01-05"}
    for name in ("张桂兰", "周敏", "陈明", "孙伟", "马涛"):
        refused = await client.post("/api/v1/affiliations", json=body, headers=await town.sign_in(name))
        assert refused.status_code == 403, name
    own = await client.post("/api/v1/affiliations", json=body, headers=await town.sign_in("李秀英"))
    assert (own.status_code, own.json()["code"]) == (422, "reported_on_wrong")
    abroad = await client.post("/api/v1/affiliations", json=body, headers=await town.sign_in("何静"))
    assert abroad.status_code == 404
    made = await client.post("/api/v1/affiliations", json=body, headers=await town.sign_in("赵丽"))
    assert (made.status_code, made.json()["reported_on"]) == (201, "2026-01-05")
    address = f"/api/v1/affiliations/{made.json()['id']}"
    expected = {"张桂兰": 404, "马涛": 404, "孙伟": 403, "何静": 404, "赵丽": 204}
    for name, status in expected.items():
        assert (await client.delete(address, headers=await town.sign_in(name))).status_code == status, name
    child = body | {"person_id": str(town.people["刘小雨"])}
    refused = await client.post("/api/v1/affiliations", json=child, headers=await town.sign_in("赵丽"))
    assert (refused.status_code, refused.json()["code"]) == (422, "cannot_report_in")
    nobody = body | {"person_id": str(UUID(int=5))}
    assert (
        await client.post("/api/v1/affiliations", json=nobody, headers=await town.sign_in("赵丽"))
    ).status_code == 404


async def test_who_reports_in_from_two_units_at_once_has_one(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    person, admin = town.people["张桂兰"], await town.scope("赵丽")
    own = await town.scope("张桂兰")
    done = await asyncio.gather(
        report_in(own, AffiliationIn(person, units.tax)),
        report_in(admin, AffiliationIn(person, units.power)),
        report_in(own, AffiliationIn(person, units.tax)),
        report_in(admin, AffiliationIn(person, units.power)),
        return_exceptions=True,
    )
    made = {one.id for one in done if isinstance(one, AffiliationOut)}
    assert len(made) == 1
    assert {type(one) for one in done} == {AffiliationOut, AlreadyReportedIn}
    assert await owner.fetchval("SELECT count(*) FROM affiliation WHERE person_id = $1", person) == 1
    await asyncio.gather(*(leave_unit(own, made.copy().pop()) for _ in range(3)))
    ended = await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'leave_unit'")
    assert ended == 1


async def test_the_contact_reads_the_names_of_the_own_unit_and_of_no_other(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """马涛 serves the tax office in the county, the power utility in one street: not in 柳岸社区 of another."""
    day = clock.local_day() - timedelta(days=10)
    await reported(owner, town.community, units.tax, "郑凯", since=day)
    await reported(owner, units.willow, units.tax, "冯雪", since=day)
    await reported(owner, units.willow, units.power, "韩冰", since=day)
    contact = await town.sign_in("马涛")

    async def names(unit: UUID, community: UUID | None, headers: dict[str, str]) -> list[str] | int:
        chosen = headers | ({"X-Community-Id": str(community)} if community else {})
        answer = await client.get(f"/api/v1/units/{unit}/affiliations", headers=chosen)
        return [one["name"] for one in answer.json()["items"]] if answer.status_code == 200 else answer.status_code

    assert await names(units.tax, town.community, contact) == ["郑凯"]
    assert await names(units.tax, units.willow, contact) == ["冯雪"]
    assert await names(units.power, units.willow, contact) == 404
    assert await names(units.power, town.community, contact) == []
    assert await names(units.tax, None, await town.sign_in("张桂兰")) == 404
    assert await names(units.tax, None, await town.sign_in("赵丽")) == ["郑凯"]
    seen = await client.get(
        f"/api/v1/units/{units.tax}/affiliations", headers=contact | {"X-Community-Id": str(town.community)}
    )
    assert [one["person_id"] for one in seen.json()["items"]] == [None]
    assert (
        await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'read_reported' AND noun_id = $1", units.tax) >= 2
    )
    person = await owner.fetchval("SELECT id FROM person WHERE name = '郑凯'")
    for address in (f"/people/{person}", "/people", f"/people/{person}/statement"):
        answer = await client.get(f"/api/v1{address}", headers=contact | {"X-Community-Id": str(town.community)})
        assert answer.status_code in {403, 404}, address
