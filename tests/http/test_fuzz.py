"""Every documented call with generated input: no 5xx, no failure in the log, and a ledger that still balances."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import SECRET
from tests.support.ledger_sums import problems_of
from tests.support.service import Service, served
from tests.support.town import Town

# A 5xx is a fault. A 4xx for input that the schema allows is often right, because a schema cannot express every rule.
CHECKS = "not_a_server_error,content_type_conformance"


@pytest.fixture
def service(pool: str, tmp_path: Path) -> Iterator[Service]:
    with served(pool, tmp_path, secret_key=SECRET.decode()) as running:
        yield running


async def _hurt(service: Service, town: Town, name: str, seconds: int) -> str:
    token = await town.token(name)
    async with httpx.AsyncClient(base_url=service.base_url, timeout=300) as client:  # it is made once, slowly
        (await client.get("/api/v1/schema/openapi.json")).raise_for_status()
    run = await asyncio.to_thread(
        subprocess.run,
        [
            str(Path(sys.executable).parent / "schemathesis"), "run", f"{service.base_url}/api/v1/schema/openapi.json",
            "--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--phases", "coverage,fuzzing",
            "--exclude-path-regex", "/sessions.*|/me/password", "--max-time", str(seconds), "--seed", "7",
            "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
        ],
        capture_output=True, text=True, timeout=seconds + 120, check=False, cwd=service.log.parent,
    )  # fmt: skip
    assert re.search(r"[1-9]\d* generated", run.stdout), run.stdout[-3000:] + run.stderr[-3000:]
    service.log.with_name("fuzz.txt").write_text(run.stdout)
    return "" if run.returncode == 0 else f"{run.stdout[-4000:]}\nthe whole of it: {service.log.with_name('fuzz.txt')}"


async def test_no_input_makes_the_service_fail(service: Service, town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 500)
    assert await _hurt(service, town, "赵丽", 12) == ""
    assert '"event": "failed"' not in service.log.read_text()
    assert await problems_of(owner) == []


@pytest.mark.torture
@pytest.mark.parametrize("name", ["赵丽", "周敏", "张桂兰"])
async def test_no_input_makes_the_service_fail_for_minutes(
    service: Service, town: Town, owner: asyncpg.Connection, name: str
) -> None:
    await town.give_points("张桂兰", 500)
    assert await _hurt(service, town, name, 240) == ""
    assert '"event": "failed"' not in service.log.read_text()
    assert await problems_of(owner) == []
