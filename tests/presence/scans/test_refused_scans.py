"""The scans of a resident that were refused, with the reason in words, at the resident's page."""

from datetime import timedelta

import httpx
import pytest

from tests.support.presence import nine_o_clock, scanned, station_code
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.capability import Reading
from timebank.core.errors import Forbidden
from timebank.presence.scans.refused import refused_scans_of


async def late_scan(town: Town, name: str, seconds: int = 31) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        code = station_code(town)
    with clock.at(begin + timedelta(seconds=seconds)):
        assert (await scanned(await town.scope(name), code)).reason == "expired_code"


async def test_the_page_says_why_a_scan_brought_nothing(town: Town, client: httpx.AsyncClient) -> None:
    await late_scan(town, "张桂兰")
    panel = await browser(client, town, "赵丽")
    page = await panel.see(f"/admin/people/{town.people['张桂兰']}?part=refused_scans")
    assert "这个码已过期（09:00:15）。请对准屏幕再扫一次。" in page
    assert "暖蜂驿站" in page
    assert "扫了驿站的码" in page
    assert "没有签不上的扫码" in await panel.see(f"/admin/people/{town.people['李秀英']}?part=refused_scans")


async def test_the_reason_is_in_the_readers_language(town: Town) -> None:
    await late_scan(town, "张桂兰")
    admin = await town.scope("赵丽")
    [one] = (await refused_scans_of(admin, town.people["张桂兰"], Reading(language="en"))).items
    assert "09:00:15" in one.why
    assert one.why.isascii()


async def test_a_scan_that_was_accepted_is_not_listed(town: Town) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        assert (await scanned(await town.scope("张桂兰"), station_code(town))).status == "ok"
    assert (await refused_scans_of(await town.scope("赵丽"), town.people["张桂兰"], Reading())).items == []


async def test_one_neighbour_is_not_told_anothers(town: Town) -> None:
    await late_scan(town, "张桂兰")
    for name in ("张桂兰", "李秀英", "周敏"):
        with pytest.raises(Forbidden):
            await refused_scans_of(await town.scope(name), town.people["张桂兰"], Reading())
    assert len((await refused_scans_of(await town.scope("孙伟"), town.people["张桂兰"], Reading())).items) == 1


async def test_all_are_reached_page_by_page(town: Town) -> None:
    for seconds in range(31, 31 + 45):
        await late_scan(town, "张桂兰", seconds)
    admin, seen, cursor = await town.scope("赵丽"), [], None
    for count in (20, 20, 5):
        page = await refused_scans_of(admin, town.people["张桂兰"], Reading(cursor))
        assert len(page.items) == count
        seen += [one.at for one in page.items]
        cursor = page.next
    assert cursor is None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 45
