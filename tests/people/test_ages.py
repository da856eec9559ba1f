"""Ages of 14 and 18: Python and SQL decide alike on every day, the leap day too, and each use asks the same module."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from tests.support.town import PHOENIX, Town
from timebank.core import clock
from timebank.core.database import transaction
from timebank.deeds.filing.options import filing_options
from timebank.people import waiting_corrections
from timebank.people.identity.ages import ADULT_FROM, GUARDED_UNDER, age_on, is_possible_birth, is_younger
from timebank.people.schemas import Correction

BIRTHS = [date(2008, 2, 28), date(2008, 2, 29), date(2008, 3, 1), date(2010, 12, 31), date(2011, 1, 1)]


@pytest.mark.parametrize("age", [GUARDED_UNDER, ADULT_FROM])
async def test_the_database_knows_the_same_age_as_the_service(owner: asyncpg.Connection, age: int) -> None:
    for born_on in BIRTHS:
        for year in (born_on.year + age, born_on.year + age + 1):
            for around in (date(year, 2, 28), date(year, 3, 1), date(year, 12, 31), date(year, 1, 1)):
                for today in (around - timedelta(days=1), around, around + timedelta(days=1)):
                    found = await owner.fetchval(f"SELECT {is_younger(age, '$1::date', '$2')}", born_on, today)
                    assert found == (age_on(born_on, today) < age), (born_on, today)


def test_nobody_is_born_tomorrow_or_older_than_130() -> None:
    today = date(2026, 11, 26)
    assert is_possible_birth(today, today)
    assert not is_possible_birth(today + timedelta(days=1), today)
    assert is_possible_birth(date(1895, 11, 27), today)
    assert not is_possible_birth(date(1895, 11, 26), today)


async def test_a_neighbour_may_witness_from_the_eighteenth_birthday_on(town: Town, owner: asyncpg.Connection) -> None:
    for born_on, listed in ((date(2008, 11, 26), True), (date(2008, 11, 27), False)):
        await owner.execute("UPDATE person SET born_on = $2 WHERE id = $1", town.people["李秀英"], born_on)
        with clock.at(datetime(2026, 11, 26, 4, tzinfo=UTC)):
            found = await filing_options(await town.scope("王建国"))
        assert ("李秀英" in [each.name for each in found.witnesses]) == listed


async def test_who_is_moved_to_a_whole_grid_is_shown_with_the_grid(town: Town) -> None:
    said = await _place_of(town, f"{PHOENIX}/第一网格")
    assert (said, await _place_of(town, f"{PHOENIX}/第一网格/3栋/1单元")) == ("第一网格", "3栋1单元")


async def _place_of(town: Town, area: str) -> str | None:
    scope = await town.scope("赵丽")
    async with transaction(scope):
        return await waiting_corrections._area_name(scope, Correction(area_id=town.areas[area], reason="搬家"))
