"""The measurement of verbs: what it sends is answered and found in the tables afterwards, and a difference is named."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import asyncpg
import click
import pytest

from bench.__main__ import SERVING, over_http
from bench.checks import find_faults
from bench.ground import Ground, lay_ground
from bench.processors import PROC, spent
from bench.service import Pgbench, serving
from bench.verbs import VERBS, Requests, Verb
from tests.support.outside import SECRET, Outside, outside
from timebank.core import settings
from timebank.core.database import engine
from timebank.migrate import migrate
from timebank.operations import embedded

PEOPLE, ASKED = 40, 12


@pytest.fixture
def place() -> Iterator[Outside]:
    """A server of its own. The checks open a pool in this process: the pool of the other tests is put back."""
    before, pools = settings.current(), (engine.config, engine.door, engine.pool, engine.aside, engine.readers)
    with outside() as there:
        settings.use(replace(settings.Settings(), database_url=there.url, secret_key=SECRET.encode()))
        asyncio.run(migrate(there.url))
        assert there.server is not None
        embedded.create_login(there.server, SERVING, "timebank")
        yield there
    settings.use(before)
    engine.config, engine.door, engine.pool, engine.aside, engine.readers = pools


def some(verb: Verb) -> Verb:
    """The verb, asked a few times only."""
    return replace(verb, requests=lambda requests, left: islice(verb.requests(requests, left), ASKED))


def execute(place: Outside, sql: str, *values: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(place.url)
        await connection.execute(sql, *values)
        await connection.close()

    asyncio.run(run())


def measured(place: Outside, ground: Ground) -> tuple[Requests, Pgbench]:
    """Each verb over HTTP, and twice by pgbench."""
    assert place.server is not None
    pgbench = Pgbench(place.server, place.url, ground, 4, place.folder)
    with serving(place.server.url("timebank", SERVING), SECRET, 1) as service:
        requests = Requests(ground, service.port)
        for name, verb in VERBS.items():
            assert over_http(name, some(verb), requests, 4, 60, 1).answered == ASKED
            assert min(pgbench.per_second(verb, 0.01) for _ in range(2)) > 0
        answered = replace(VERBS["balances"], expected=re.compile(rb"HTTP/1\.1 200 .*nobody has this", re.DOTALL))
        with pytest.raises(click.ClickException, match=r'balances: HTTP/1.1 200(.|\n)*"points"'):
            over_http("balances", answered, requests, 4, 60, 1)
    return requests, pgbench


def test_what_was_answered_is_in_the_tables_and_a_difference_is_named(place: Outside) -> None:
    ground = asyncio.run(lay_ground(place.url, PEOPLE, inside=True))
    requests, pgbench = measured(place, ground)
    assert dict(requests.sent) == {"out": ASKED, "in": ASKED, "reserved": 2 * ASKED}

    def faults() -> list[str]:
        return asyncio.run(find_faults(place.url, requests, pgbench.done))

    assert faults() == []
    execute(place, "DELETE FROM scan WHERE community_id = $1 AND nonce = $2", ground.community, requests.nonces[0])
    assert faults() == [f"{what}: {2 * ASKED - 1} in the tables, {2 * ASKED} answered" for what in ("heard", "scans")]
    execute(place, "UPDATE stock SET quantity = quantity + 1 WHERE good_id = $1", ground.stock[0][1])
    wrong = faults()[2:]
    assert wrong[0] == "1 stocks are negative or differ from what was reserved"
    assert len(wrong) == 2, "the ledger check finds it too"
    execute(place, "UPDATE account SET balance = balance + 1 WHERE owner_id = $1", ground.everybody[0].id)
    assert "accounts have another balance than their transfers" in "".join(faults())


BUSY = "import time\nwhile time.process_time() < 0.4: pass\n"
START = "import subprocess, sys\nbusy = subprocess.Popen([sys.executable, '-c', {!r}])\n"
ENDED = START.format(BUSY) + "busy.wait()\nprint('ready', flush=True)\ninput()"
RUNNING = START.format(f"{BUSY}print('ready', flush=True)\ninput()") + "busy.wait()"


@pytest.mark.skipif(not PROC.exists(), reason="the processor times are read from /proc, which is only in Linux")
@pytest.mark.parametrize("code", [ENDED, RUNNING], ids=["a child that has ended", "a child that is running"])
def test_processor_seconds_are_those_of_a_process_and_all_below(code: str) -> None:
    before = spent({"all": os.getpid()})
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        found = spent({"it": running.pid, "all": os.getpid()})
        running.communicate(b"\n")
    assert found["it"] > 0.35
    assert found["all"] - before["all"] > 0.35
    assert found["load"] - before["load"] < found["all"] - before["all"], "without the processes below"
    assert spent({"gone": running.pid})["gone"] == 0
