"""The wire: a new pool of the service, as a process has that has just started and found its database."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.wire import Wire, counted
from timebank.access.devices import devices


@pytest.fixture
async def wire(tmp_path: Path, client: httpx.AsyncClient) -> AsyncIterator[Wire]:
    async with counted(tmp_path) as found:
        devices._noted.clear()
        yield found
