"""The table of working days is filled by the library, in a process of its own, or by a notice; also repeatedly."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.commands.test_cli import Timebank, sentence, timebank
from tests.conftest import DatabaseClock
from tests.support.town import Town, operating
from timebank.areas.schemas import OfficialDay, OfficialYear
from timebank.areas.workday_filling import (
    BadNotice,
    CalendarUnread,
    fill_workdays,
    fill_years,
    read_library,
    read_notice,
)
from timebank.core import clock

__all__ = ["timebank"]

LATER = datetime(2026, 12, 28, 4, 0, tzinfo=UTC)  # more than a month after the rows that the migration ships
ROWS = "SELECT day, works, name, source, estimated FROM workday WHERE county_id IS NULL ORDER BY day"

NEW_YEAR = OfficialDay(day=date(2027, 1, 1), works=False, name="元旦")
MAKE_UP = OfficialDay(day=date(2027, 2, 6), works=True, name="调休上班")
ANNOUNCED = OfficialYear(year=2027, estimated=False, days=[NEW_YEAR, MAKE_UP])
ESTIMATED = OfficialYear(year=2027, estimated=True, days=[NEW_YEAR])


@pytest.fixture
async def later(database_clock: DatabaseClock) -> Iterator[None]:  # type: ignore[misc]
    await database_clock.show(LATER)
    with clock.at(LATER):
        yield


def notice_of_2027(folder: Path) -> Path:
    """A whole year as an operator would type it, with the Saturdays of the holidays."""
    rest = (
        "1-1 元旦", "2-5 春节", "2-6 春节", "2-8 春节", "2-9 春节", "2-10 春节", "2-11 春节", "4-5 清明节",
        "5-3 劳动节", "5-4 劳动节", "6-9 端午节", "9-15 中秋节", "10-1 国庆节", "10-4 国庆节", "10-5 国庆节",
    )  # fmt: skip
    lines = [f"2027-{day},休,{name}" for day, _, name in (each.partition(" ") for each in rest)]
    path = folder / "notice.csv"
    path.write_text("\n".join([*lines, "2027/2/20,work,春节"]), encoding="gb18030")
    return path


async def test_the_sweep_reads_the_library_once_a_month_and_the_same_again_changes_nothing(
    later: None, town: Town, owner: asyncpg.Connection
) -> None:
    shipped = await owner.fetch(ROWS)
    await owner.execute("DELETE FROM workday WHERE day >= '2027-02-01'")
    assert await fill_workdays() == 12
    assert await owner.fetch(ROWS) == shipped
    await owner.execute("DELETE FROM workday WHERE day >= '2027-02-01'")
    assert await fill_workdays() == 0, "it was read today"
    with clock.at(LATER + timedelta(days=28)):
        assert await fill_workdays() > 12, "2028 is filled from January 2027 on"
    assert await owner.fetchval("SELECT bool_and(estimated) FROM workday WHERE day >= '2028-01-01'")


async def test_two_processes_fill_at_once_and_every_day_is_there_once(
    later: None, town: Town, owner: asyncpg.Connection
) -> None:
    shipped = await owner.fetch(ROWS)
    await owner.execute("DELETE FROM workday WHERE day >= '2026-02-01'")
    years = await read_library(2026, 2027)
    done = await asyncio.gather(*(fill_years(years, "library") for _ in range(6)))
    assert sum(each.changed for filled in done for each in filled) == 22 + 13
    assert await owner.fetch(ROWS) == shipped


async def test_an_announced_year_replaces_an_estimate_and_never_the_other_way(
    later: None, town: Town, owner: asyncpg.Connection
) -> None:
    await asyncio.gather(*(fill_years([year], "library") for year in (ANNOUNCED, ESTIMATED, ANNOUNCED, ESTIMATED)))
    found = await owner.fetch("SELECT day, estimated FROM workday WHERE day >= '2027-01-01' ORDER BY day")
    assert [tuple(row) for row in found] == [(each.day, False) for each in ANNOUNCED.days]


async def test_what_a_county_has_set_stays_when_the_country_is_filled(
    later: None, town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO workday (id, county_id, day, works, name, source, estimated, set_at) "
        "VALUES (gen_random_uuid(), $1, '2027-02-06', false, '县庆', 'county', false, now())",
        town.county,
    )
    await fill_years([ANNOUNCED], "library")
    assert await owner.fetchval("SELECT name FROM workday WHERE county_id IS NOT NULL") == "县庆"


async def test_a_notice_that_the_operator_types_in_holds_for_its_year(
    later: None, town: Town, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    years = read_notice(notice_of_2027(tmp_path))
    async with operating():
        [filled] = await fill_years(years, "notice")
        assert (filled.year, filled.estimated, filled.source) == (2027, False, "notice")
        assert [each.changed for each in await fill_years(years, "notice")] == [0]
        assert (await fill_years([ANNOUNCED], "library"))[0].source == "notice"
    found = await owner.fetch("SELECT day, works, source FROM workday WHERE day >= '2027-01-01' ORDER BY day")
    assert len(found) == 15, "the Saturday of the holiday is no exception"
    assert {row["source"] for row in found} == {"notice"}
    assert [row["day"] for row in found if row["works"]] == [date(2027, 2, 20)]


@pytest.mark.parametrize(
    "text",
    ["", "2027-02-06,班", "2027-02-30,休,春节", "2027-02-06,值班,春节", "明天,休,春节", "2027-02-06,班,春节", "\udcff"],
)
def test_a_notice_that_is_not_one_or_not_whole_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notice.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadNotice):
        read_notice(path)


async def test_a_library_that_cannot_be_read_leaves_the_table_and_says_what_to_do(
    later: None, town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = await owner.fetch(ROWS)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'holidays'\" >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(CalendarUnread, match=r"No module named 'holidays'.*timebank calendar"):
        await fill_workdays()
    assert await owner.fetch(ROWS) == shipped


async def test_the_command_fills_the_table_and_may_be_repeated(
    town: Town,
    owner: asyncpg.Connection,
    timebank: Timebank,
    tmp_path: Path,
) -> None:
    shipped = await owner.fetch(ROWS)
    await owner.execute("DELETE FROM workday WHERE day >= '2025-02-01'")
    first, second = timebank("calendar", "--json"), timebank("calendar", "--json")
    assert first.returncode == 0, first.stderr
    assert [each["changed"] > 0 for each in json.loads(first.stdout)["years"]][:4] == [False, True, True, True]
    assert {each["changed"] for each in json.loads(second.stdout)["years"]} == {0}
    assert (await owner.fetch(ROWS))[: len(shipped)] == shipped
    said = timebank("calendar").stdout
    assert "2026 年：已有国务院的通知，没有改动。" in said
    entered = timebank("calendar", "--notice", str(notice_of_2027(tmp_path)))
    assert "2027 年：照登记的通知，改了" in entered.stdout, entered.stderr
    (tmp_path / "half.csv").write_text("2027-02-06,班,春节")
    assert "第" not in sentence(timebank("calendar", "--notice", str(tmp_path / "half.csv")))


async def test_check_all_names_a_year_whose_notice_is_missing(
    town: Town,
    owner: asyncpg.Connection,
    timebank: Timebank,
) -> None:
    """The year of the machine's clock, so that it holds on any day."""
    this_year = clock.local_day().year
    await owner.execute("UPDATE workday SET estimated = true WHERE extract(year FROM day) >= $1", this_year)
    checked = timebank("check", "all")
    assert checked.returncode == 0, "a reminder, not a fault of the books"
    assert f"{this_year} 年的放假通知还没有登记" in checked.stdout
    assert this_year in json.loads(timebank("check", "all", "--json").stdout)["estimated_years"]
    assert "放假通知" not in timebank("check", "ledger").stdout
