"""Working days: Monday to Friday but for the table's days; a county's own day goes first; no year is too far."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import DatabaseClock
from tests.security.thief import refused, steal
from tests.support.town import SPRING, Town
from timebank.areas.official_days import official_year
from timebank.areas.workdays import (
    NoReasonGiven,
    WorkdayPast,
    Workdays,
    WorkdayTooFar,
    clear_workday,
    set_workday,
    unannounced_years,
    work_years,
    workdays_of,
)
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.http.preferences import LANGUAGE_COOKIE

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)  # noon in the town, a Thursday
FRIDAY, SATURDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 30)
PAGE = "/admin/workdays"


@pytest.fixture
async def today(database_clock: DatabaseClock) -> Iterator[None]:  # type: ignore[misc]
    """The clocks of service and database stand at NOW."""
    await database_clock.show(NOW)
    with clock.at(NOW):
        yield


def first_and_last(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year, 12, 31)


# ----------------------------------------------------------------------------------------------------- what is shipped


async def test_the_shipped_years_are_those_of_the_library_and_have_the_announced_number_of_workdays(town: Town) -> None:
    years = await work_years(town.system(), 2024, 2027)
    assert [(year.year, year.workdays, year.estimated) for year in years] == [
        (2024, 251, False), (2025, 248, False), (2026, 248, False), (2027, 248, True),
    ]  # fmt: skip
    for year in years:
        known = official_year(year.year)
        assert [(each.day, each.works, each.name) for each in year.days] == [
            (each.day, each.works, each.name) for each in known.days
        ]
        assert year.estimated == known.estimated


async def test_four_weekends_of_2026_are_worked_and_spring_festival_is_not(town: Town) -> None:
    workdays = await workdays_of(town.system(), date(2026, 1, 1))
    for day in (date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)):
        assert workdays.is_workday(day), day
        assert day.weekday() >= 5
    assert not workdays.is_workday(date(2026, 2, 17))
    # The third workday after Friday 13 February: Saturday 14 is worked, then nine days of rest.
    assert workdays.add_workdays(date(2026, 2, 13), 3) == date(2026, 2, 25)


async def test_a_year_beyond_the_table_is_answered_by_monday_to_friday_and_marked_estimated(town: Town) -> None:
    workdays = await workdays_of(town.system(), date(2026, 12, 31))
    assert workdays.add_workdays(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert workdays.is_estimated(date(2027, 1, 4))
    assert not workdays.is_estimated(date(2026, 12, 31))
    assert workdays.count_workdays(*first_and_last(2040)) == 261
    assert workdays.is_estimated(date(2040, 1, 2))
    assert workdays.add_workdays(date(9999, 12, 30), 50) == date.max
    far = await workdays_of(town.system(), date(2100, 6, 1))
    assert far.is_workday(date(2100, 6, 1))
    assert far.is_estimated(date(2100, 6, 1))


@given(
    start=st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    n=st.integers(0, 60),
    differing=st.dictionaries(st.dates(date(2026, 1, 1), date(2030, 6, 1)), st.booleans(), max_size=80),
)
def test_as_many_workdays_are_counted_as_were_added(start: date, n: int, differing: dict[date, bool]) -> None:
    workdays = Workdays(differing, frozenset())
    end = workdays.add_workdays(start, n)
    assert workdays.count_workdays(start + timedelta(days=1), end) == n
    assert n == 0 or workdays.is_workday(end)
    assert workdays.count_workdays(end, start - timedelta(days=1)) == 0


# ------------------------------------------------------------------------------------------------------ a county's day


async def test_a_county_sets_a_day_by_hand_and_it_goes_before_the_countrys(
    today: None, town: Town, owner: asyncpg.Connection
) -> None:
    head = await town.scope("吴昊")
    await set_workday(head, MONDAY, works=False, name="抗洪停工")
    workdays = await workdays_of(await town.scope("张桂兰"), NOW.date())
    assert workdays.add_workdays(FRIDAY, 1) == date(2026, 12, 1)
    assert not workdays.is_estimated(MONDAY)
    other = await workdays_of(town.system(SPRING), NOW.date())
    assert not other.is_workday(MONDAY), "every community of the county follows it"
    await set_workday(head, MONDAY, works=True, name="水退了")
    assert (await workdays_of(head, NOW.date())).is_workday(MONDAY)
    new_year = date(2027, 1, 1)
    await set_workday(head, new_year, works=True, name="防汛值守")
    year = (await work_years(head, 2027, 2027))[0]
    assert (year.days[0].day, year.days[0].source, year.workdays, year.estimated) == (new_year, "county", 249, True)
    await clear_workday(head, new_year)
    assert not (await workdays_of(head, NOW.date())).is_workday(new_year)
    found = await owner.fetch("SELECT verb, reason, change, person_id FROM audit WHERE noun = 'workday' ORDER BY id")
    assert [(row["verb"], row["reason"]) for row in found] == [
        ("set_workday", "抗洪停工"), ("set_workday", "水退了"), ("set_workday", "防汛值守"), ("clear_workday", None),
    ]  # fmt: skip
    assert {row["person_id"] for row in found} == {town.people["吴昊"]}


async def test_the_same_day_set_or_cleared_twice_is_done_once(
    today: None, town: Town, owner: asyncpg.Connection
) -> None:
    head = await town.scope("吴昊")
    await asyncio.gather(*(set_workday(head, MONDAY, works=False, name="抗洪停工") for _ in range(4)))
    assert await owner.fetchval("SELECT count(*) FROM workday WHERE county_id = $1", town.county) == 1
    await asyncio.gather(*(clear_workday(head, MONDAY) for _ in range(4)))
    assert await owner.fetchval("SELECT count(*) FROM workday WHERE county_id IS NOT NULL") == 0
    verbs = [row["verb"] for row in await owner.fetch("SELECT verb FROM audit WHERE noun = 'workday' ORDER BY id")]
    assert verbs == ["set_workday", "clear_workday"]


async def test_another_county_keeps_its_own_days(today: None, town: Town, owner: asyncpg.Connection) -> None:
    await set_workday(await town.scope("吴昊"), MONDAY, works=False, name="抗洪停工")
    await owner.execute("UPDATE workday SET county_id = $1 WHERE county_id = $2", town.street, town.county)
    assert (await workdays_of(town.system(), NOW.date())).is_workday(MONDAY)


@pytest.mark.parametrize("name", ["张桂兰", "王建国", "陈明", "周敏", "赵丽", "钱进", "孙伟"])
async def test_nobody_below_the_county_sets_a_day(today: None, town: Town, name: str) -> None:
    scope = await town.scope(name)
    with pytest.raises(Forbidden):
        await set_workday(scope, MONDAY, works=False, name="抗洪停工")
    with pytest.raises(Forbidden):
        await clear_workday(scope, MONDAY)


async def test_a_day_that_has_passed_stays_as_it_was_counted(today: None, town: Town) -> None:
    """Otherwise an overdue matter would be in time again by a day of rest set afterwards."""
    head = await town.scope("吴昊")
    yesterday = NOW.date() - timedelta(days=1)
    with pytest.raises(WorkdayPast):
        await set_workday(head, yesterday, works=False, name="抗洪停工")
    with pytest.raises(WorkdayPast):
        await clear_workday(head, yesterday)
    with pytest.raises(WorkdayTooFar):
        await set_workday(head, date(2029, 1, 1), works=False, name="县庆")
    with pytest.raises(NoReasonGiven):
        await set_workday(head, NOW.date(), works=False, name=" \u200b")
    await set_workday(head, NOW.date(), works=False, name="抗洪停工")


SET = (
    "INSERT INTO workday (id, county_id, day, works, name, source, estimated, set_by, set_at) "
    "VALUES (gen_random_uuid(), $1, $2, false, '放假', $3, false, $4, now())"
)


async def test_the_database_refuses_the_same(
    today: None, town: Town, owner: asyncpg.Connection, serving: asyncpg.Connection
) -> None:
    head, street, below = await town.scope("吴昊"), await town.scope("钱进"), await town.scope("赵丽")
    for scope in (street, below):
        await steal(serving, town.community, session=scope.session_id)
        for region in (town.county, town.street, town.community, None):
            await refused(serving, SET, region, MONDAY, "county" if region else "notice", scope.person_id)
    await steal(serving, town.community, session=head.session_id)
    await refused(serving, SET, town.county, NOW.date() - timedelta(days=2), "county", head.person_id)
    await refused(serving, SET, town.county, MONDAY, "county", town.people["赵丽"])
    await serving.execute(SET, town.county, MONDAY, "county", head.person_id)
    assert await serving.execute("UPDATE workday SET works = true WHERE county_id IS NULL") == "UPDATE 0"
    assert await serving.execute("DELETE FROM workday WHERE county_id IS NULL") == "DELETE 0"
    fill = "SELECT workday_fill($1, '{}', '{}', '{}', $2, false, now())"
    for year, source in ((2027, "notice"), (2025, "library"), (2030, "library")):
        await refused(serving, fill, year, source)


# ------------------------------------------------------------------------------------------------------------ the page


async def test_the_county_reads_and_sets_days_on_the_page_and_others_only_read(
    today: None, town: Town, client: httpx.AsyncClient
) -> None:
    head, below = await town.sign_in("吴昊"), await town.sign_in("赵丽")
    form = {"day": MONDAY.isoformat(), "works": "false", "name": "抗洪停工"}
    made = await client.post(PAGE, headers=head, data=form)
    assert made.status_code == 303, made.text
    shown = (await client.get(PAGE, headers=below)).text
    assert "抗洪停工" in shown
    assert "2026 年：247 个工作日" in shown
    assert "推算" in shown
    assert 'action="/admin/workdays"' not in shown
    assert (await client.post(PAGE, headers=below, data=form)).status_code == 403
    assert 'action="/admin/workdays/cleared"' in (await client.get(PAGE, headers=head)).text
    gone = await client.post(f"{PAGE}/cleared", headers=head, data={"day": MONDAY.isoformat()})
    assert gone.status_code == 303
    assert "抗洪停工" not in (await client.get(PAGE, headers=below)).text
    english = (await client.get(PAGE, headers={**below, "Cookie": f"{LANGUAGE_COOKIE}=en"})).text
    assert "Spring Festival" in english


async def test_from_december_on_the_panel_says_that_next_years_notice_is_missing(
    town: Town, client: httpx.AsyncClient
) -> None:
    said = "2027 年的放假通知还没有登记"
    for day, is_said in ((date(2026, 11, 30), False), (date(2026, 12, 1), True), (date(2027, 3, 1), True)):
        with clock.at(datetime(day.year, day.month, day.day, 4, tzinfo=UTC)):
            for path, name in (("/admin", "吴昊"), (PAGE, "赵丽")):
                page = await client.get(path, headers=await town.sign_in(name))
                assert page.status_code == 200
                assert (said in page.text) == is_said, (day, path)
            assert await unannounced_years() == ([2027] if is_said else [])


# ----------------------------------------------------------------------------------------------- the library stays out


def test_the_serving_process_never_imports_the_library() -> None:
    """It costs 0.5 s and 40 MB. Pages, API, worker, commands and every verb that a manifest names are loaded."""
    loads = (
        "import sys; from importlib import import_module; from timebank.cli import COMMANDS; "
        "from timebank.app import create_app; from timebank.operations import worker; "
        "create_app(opens_pool=False); worker.jobs(); "
        "[import_module(path.partition(':')[0]) for path in COMMANDS.values()]; print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    loaded = ran.stdout.split()
    assert {"timebank.areas.workdays", "timebank.areas.workday_filling", "admin.workdays"} <= set(loaded)
    assert {"holidays", "dateutil", "timebank.areas.official_days"}.isdisjoint(loaded)
