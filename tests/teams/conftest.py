"""The town where every community uses units and teams."""

import asyncpg
import pytest

from tests.support.town import Town
from tests.support.units import Units, add_units


@pytest.fixture
async def units(town: Town, owner: asyncpg.Connection) -> Units:
    return await add_units(owner, town)
