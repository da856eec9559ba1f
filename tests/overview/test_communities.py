"""The communities of a street side by side: what was counted in each, and the way to its list."""

import re
from datetime import timedelta

import httpx
import pytest

from tests.support.presence import served
from tests.support.shop import browser
from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.overview.communities import Compared, communities_compared, in_all
from timebank.overview.figures import count_figures, figures
from timebank.overview.months import count_this_month, service_by_month


async def counted(town: Town) -> dict[str, Compared]:
    for name in (PHOENIX, SPRING):
        await count_figures(town.system(name))
        await count_this_month(town.system(name))
    return {one.name: one for one in await communities_compared(await town.scope("钱进"))}


async def test_a_streets_administrator_sees_each_of_its_communities(town: Town) -> None:
    await town.credit_deed("张桂兰", 37)
    await served(town, "李秀英", 125)
    before = await communities_compared(await town.scope("钱进"))
    assert {one.counted_at for one in before} == {None}
    found = await counted(town)
    assert set(found) == {PHOENIX, SPRING}
    here, there = found[PHOENIX], found[SPRING]
    assert (here.outstanding, there.outstanding) == (57, 0)
    assert in_all([here, there])["outstanding"] == 57
    admin = await town.scope("赵丽")
    of_month = (await service_by_month(admin, clock.local_day().replace(day=1))).values()
    assert here.minutes == sum(each.minutes for each in of_month)
    own = await figures(admin)
    assert own is not None
    assert own.expiring == here.expiring


async def test_a_community_sees_no_other_and_a_resident_none(town: Town) -> None:
    await counted(town)
    assert [one.name for one in await communities_compared(await town.scope("赵丽"))] == [PHOENIX]
    assert [one.name for one in await communities_compared(await town.scope("孙伟"))] == [PHOENIX]
    for name in ("张桂兰", "周敏"):
        with pytest.raises(Forbidden):
            await communities_compared(await town.scope(name))


async def test_figures_of_the_month_before_are_not_shown_as_this_months(town: Town) -> None:
    await counted(town)
    with clock.at(clock.now() + timedelta(days=32)):
        assert {one.counted_at for one in await communities_compared(await town.scope("钱进"))} == {None}


async def test_a_figure_leads_to_the_list_of_its_community(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("张桂兰", 37)
    await counted(town)
    street = await browser(client, town, "钱进")
    assert "/admin/communities" in await street.see("/admin")
    page = await street.see("/admin/communities")
    assert f'name="community" value="{town.communities[PHOENIX]}"' in page or "凤凰社区" in page
    assert "37 分" in page
    month = f"/admin/months/{clock.local_day().replace(day=1)}"
    for name in (PHOENIX, SPRING):
        answer = await street.send("/preferences", community=str(town.communities[name]), next=month)
        assert (answer.status_code, answer.headers["location"]) == (303, month)
        assert f"={town.communities[name]}" in answer.headers["set-cookie"]


async def test_the_list_of_residents_is_as_long_as_the_overview_says(town: Town, client: httpx.AsyncClient) -> None:
    admin = await browser(client, town, "赵丽")
    overview = await admin.see("/admin")
    shown = re.search(r'在册居民</div>.*?<span>([\d,]+)</span>.*?href="([^"]+)"', overview, re.DOTALL)
    assert shown is not None
    count, people = shown.groups()
    assert people == "/admin/people?status=active"
    page = await admin.see(people)
    assert f"共 {count} 人" in page
    assert page.count('scope="row"') == int(count)
    found = await admin.send("/admin/people/search", q="刘")
    assert "共 2 人" in found.text
    for name, count in (("李秀英", 1), ("陈明", 1)):  # the head of a unit and a grid worker list those of their places
        of_place = re.search(r"共 (\d+) 人", await (await browser(client, town, name)).see("/admin/people"))
        assert of_place is not None
        assert int(of_place[1]) >= count


async def test_an_area_of_the_overview_leads_to_the_people_who_live_there(
    town: Town, client: httpx.AsyncClient
) -> None:
    await served(town, "张桂兰", 125)
    await count_figures(town.system())
    await count_this_month(town.system())
    admin = await browser(client, town, "赵丽")
    leads = re.search(r'href="(/admin/people\?area_id=[0-9a-f-]{36})"', await admin.see("/admin"))
    assert leads is not None
    assert "张桂兰" in await admin.see(leads[1])
