"""The town with two units and three communities."""

import asyncpg
import pytest

from tests.support.town import Town
from tests.support.units import Units, add_units


@pytest.fixture
async def units(town: Town, owner: asyncpg.Connection) -> Units:
    return await add_units(owner, town)
