"""Dates, hours and card actions as text: in the place's time zone, and accurate."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.presence.test_presence_pages import browser as device
from tests.support.messages import texts
from tests.support.town import Town
from timebank.access.devices import at_stations
from timebank.core import clock, settings, wording
from timebank.expiry.reminders import remind_of_expiry
from timebank.stations.schemas import DeviceIn

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted([*(ROOT / "timebank").rglob("templates/**/*.html"), *(ROOT / "admin").rglob("templates/**/*.html")])
HALF_PAST_MIDNIGHT = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # 25 November 00:30 in Shanghai


def test_the_day_of_a_moment_is_the_places_day(pool: str) -> None:
    with clock.at(HALF_PAST_MIDNIGHT):
        assert wording.day(HALF_PAST_MIDNIGHT) == "今天"
        assert wording.day(HALF_PAST_MIDNIGHT - timedelta(hours=1)) == "昨天"
        assert wording.day(date(2026, 11, 25)) == "今天"
        assert wording.day(HALF_PAST_MIDNIGHT, "en") == "today"


async def test_a_card_issued_after_midnight_bears_the_places_day(town: Town, client: httpx.AsyncClient) -> None:
    page = f"/admin/people/{town.people['张桂兰']}"
    with clock.at(HALF_PAST_MIDNIGHT):
        headers, csrf = await browser(town, "赵丽")
        await client.post(f"{page}/card", headers=headers, data={"_csrf": csrf})
        assert "第 1 张，今天发" in (await client.get(page, headers=headers)).text


async def test_a_first_card_ends_no_earlier_one(town: Town, client: httpx.AsyncClient) -> None:
    page = f"/admin/people/{town.people['张桂兰']}"
    headers, csrf = await browser(town, "赵丽")
    said = []
    for _ in range(2):
        made = await client.post(f"{page}/card", headers=headers, data={"_csrf": csrf})
        said.append((await client.get(made.headers["location"].partition("#")[0], headers=headers)).text)
    assert ["卡已办好。" in text for text in said] == [True, False]
    assert ["旧卡作废" in text for text in said] == [False, True]


@pytest.mark.parametrize(("zone", "shown"), [("Asia/Shanghai", "00:30:00"), ("Asia/Urumqi", "22:30:00")])
async def test_the_wall_shows_the_places_clock_before_its_script_runs(
    town: Town, monkeypatch: pytest.MonkeyPatch, zone: str, shown: str
) -> None:
    admin = await town.scope("赵丽")
    with clock.at(HALF_PAST_MIDNIGHT):
        paired = await at_stations.add_device(admin, town.stations["暖蜂驿站"], DeviceIn(name="大屏", kind="display"))
        monkeypatch.setattr(settings, "_current", replace(settings.current(), time_zone=ZoneInfo(zone)))
        wall = device()
        await wall.post(paired.url.removeprefix("http://test"))
        text = (await wall.get("/display")).text
    assert re.search(r"data-clock>([0-9:]+)<", text)[1] == shown  # type: ignore[index]  # absent fails as well
    assert f'data-time-zone="{zone}"' in text


def test_no_script_names_a_time_zone() -> None:
    named = [
        path.name
        for path in (ROOT / "static" / "js").glob("*.js")
        if re.search(r"[\"'](Asia|UTC|GMT)", path.read_text())
    ]
    assert named == []


def test_scripts_that_show_a_time_use_the_places_time_zone() -> None:
    """A tablet that is set to another time zone still shows the station's time."""
    for path in (ROOT / "static" / "js").glob("*.js"):
        for shown in re.findall(r"(?:toLocaleTimeString|toLocaleDateString|DateTimeFormat)\([^)]*\)", path.read_text()):
            assert "timeZone" in shown, (path.name, shown)


OF_THE_PLACE = re.compile(r"(local\([^()]*\)|opens_at|closes_at)$")


def test_templates_write_hours_of_the_place_alone() -> None:
    """`moment.strftime` would write UTC: a template uses `local(...)` or a filter, or formats a time of day."""
    found = [
        (path.name, before)
        for path in TEMPLATES
        for before in re.findall(r"([\w.()]+)\.strftime\(", path.read_text(encoding="utf-8"))
        if not OF_THE_PLACE.search(before)
    ]
    assert found == []


async def test_a_reminder_names_the_day_by_which_points_are_to_be_used(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(datetime(2026, 12, 1, 4, tzinfo=UTC)):
        await town.give_points("张桂兰", 12, expires_on=date(2026, 12, 31))
        await remind_of_expiry(town.system())
    [text] = await texts(owner, "person_id = $1", town.people["张桂兰"])
    assert "12月31日 24:00" in text
    assert "当天" not in text
    assert "今天" not in text
