"""The town with matters switched on, at ten past eight of a Wednesday morning."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.matters import MORNING, Ground, matters_ground
from tests.support.town import Town
from timebank.core import clock


@pytest.fixture
async def ground(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Ground]:
    with clock.at(MORNING):
        yield await matters_ground(town, owner)
