"""What a unit's people did, as its contact and the community read it."""

from datetime import date
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import SPRING, Town
from tests.support.units import WILLOW, Units, reported, served
from timebank.overview.units.summary import Counted, share_of, whole_months


@pytest.mark.parametrize(
    ("reported_in", "served_people", "months", "inside", "shown"),
    [
        (7, 6, [(5, 300), (6, 700)], False, (7, 6, 1000)),
        (7, 6, [(5, 300), (4, 700)], False, (7, 6, 300)),
        (7, 4, [(4, 700)], False, (7, "<5", "<5")),
        (4, 0, [], False, ("<5", 0, 0)),
        (4, 1, [(1, 60)], True, (4, 1, 60)),
    ],
)
def test_few_people_are_not_shown_outside_the_community(
    reported_in: int,
    served_people: int,
    months: list[tuple[int, int]],
    inside: bool,
    shown: tuple[object, ...],
) -> None:
    counted = Counted(
        community_id=UUID(int=1), community="甲", reported=reported_in, served=served_people, months=months
    )
    share = share_of(counted, inside=inside)
    assert (share.reported, share.served, share.minutes) == shown


def test_whoever_is_outside_asks_for_whole_months() -> None:
    assert whole_months(date(2028, 2, 11), date(2028, 2, 12)) == (date(2028, 2, 1), date(2028, 2, 29))


async def grounds(owner: asyncpg.Connection, town: Town, units: Units) -> None:
    """The tax office: six people in 凤凰社区, two in 柳岸社区, and one who came from the power utility in May."""
    since = date(2026, 1, 1)
    for number in range(6):
        person = await reported(owner, town.community, units.tax, f"税务{number}", since=since)
        await served(owner, town.community, person, date(2026, 3, 10), 60)
        await served(owner, town.community, person, date(2026, 4, 10), 30 if number < 4 else 0)
    mover = await reported(owner, town.community, units.power, "移动", since=since, until=date(2026, 5, 1))
    await reported(owner, town.community, units.tax, "移动", since=date(2026, 5, 1), person=mover)
    await served(owner, town.community, mover, date(2026, 3, 11), 500)
    await served(owner, town.community, mover, date(2026, 4, 30), 400)
    await served(owner, town.community, mover, date(2026, 5, 1), 90)
    for number in range(2):
        person = await reported(owner, units.willow, units.tax, f"柳岸{number}", since=since)
        await served(owner, units.willow, person, date(2026, 3, 12), 240)


def by_name(answer: httpx.Response) -> dict[str, tuple[object, object, object]]:
    return {
        share["community"]: (share["reported"], share["served"], share["minutes"])
        for share in answer.json()["by_community"]
    }


async def test_service_counts_for_the_unit_at_its_time_and_a_reader_of_the_community_sees_all(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await grounds(owner, town, units)
    admin = await town.sign_in("赵丽")
    tax = await client.get(f"/api/v1/units/{units.tax}/summary?from=2026-01-01&to=2026-12-31", headers=admin)
    assert by_name(tax) == {"凤凰社区": (7, 7, 6 * 60 + 4 * 30 + 90)}
    power = await client.get(f"/api/v1/units/{units.power}/summary?from=2026-01-01&to=2026-12-31", headers=admin)
    assert by_name(power) == {"凤凰社区": (1, 1, 900)}
    before = await client.get(f"/api/v1/units/{units.tax}/summary?from=2026-03-10&to=2026-03-10", headers=admin)
    assert by_name(before) == {"凤凰社区": (6, 6, 360)}
    assert (before.json()["first"], before.json()["last"]) == ("2026-03-10", "2026-03-10")


async def test_a_contact_sees_sums_across_communities_and_no_figure_of_fewer_than_five(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await grounds(owner, town, units)
    contact = await town.sign_in("马涛")
    answer = await client.get(f"/api/v1/units/{units.tax}/summary?from=2026-03-05&to=2026-05-20", headers=contact)
    assert by_name(answer) == {"凤凰社区": (7, 7, 360), WILLOW: ("<5", "<5", "<5")}
    told = answer.json()
    assert (told["first"], told["last"]) == ("2026-03-01", "2026-05-31")
    assert (told["reported"], told["served"], told["minutes"]) == (7, 7, 360)
    power = await client.get(f"/api/v1/units/{units.power}/summary?from=2026-01-01&to=2026-12-31", headers=contact)
    assert by_name(power) == {"凤凰社区": ("<5", "<5", "<5")}
    assert power.json()["minutes"] == 0


async def test_whose_unit_it_is_not_and_a_community_that_does_not_use_units_stay_unseen(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await grounds(owner, town, units)
    address = f"/api/v1/units/{units.tax}/summary"
    assert (await client.get(address)).status_code == 401
    for name in ("张桂兰", "周敏", "陈明"):
        assert (await client.get(address, headers=await town.sign_in(name))).status_code == 404
    assert by_name(await client.get(address, headers=await town.sign_in("何静"))) == {}
    street = await client.get(f"{address}?from=2026-01-01&to=2026-12-31", headers=await town.sign_in("钱进"))
    assert by_name(street) == {"凤凰社区": (7, 7, 360)}
    missing = await client.get(f"/api/v1/units/{UUID(int=9)}/summary", headers=await town.sign_in("赵丽"))
    assert missing.status_code == 404
    long = await client.get(f"{address}?from=2025-01-01&to=2026-12-31", headers=await town.sign_in("赵丽"))
    assert (long.status_code, long.json()["code"]) == (422, "invalid")
    await owner.execute("UPDATE policy SET value = 0 WHERE name = 'uses_units' AND community_id = $1", units.willow)
    left = await client.get(f"{address}?from=2026-01-01&to=2026-12-31", headers=await town.sign_in("马涛"))
    assert by_name(left) == {"凤凰社区": (7, 7, 360)}


async def test_a_contact_of_one_street_reads_nothing_of_another(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE role_grant SET region_id = $1 WHERE unit_id = $2", town.communities[SPRING], units.tax)
    await grounds(owner, town, units)
    answer = await client.get(f"/api/v1/units/{units.tax}/summary", headers=await town.sign_in("马涛"))
    assert (answer.status_code, by_name(answer)) == (200, {})
