"""`make bench`: the cost of importing a year's workbooks, and point transfers a second over HTTP and by pgbench.

One HTTP transfer is `POST /api/v1/donations` with a bearer session, JSON and a new Idempotency-Key: one posting with
its balance check, answered when it is durable. pgbench runs one statement that inserts the transfer and debits one
account if its balance suffices, without checking permissions: the least that a posting can cost. Both use the same
tables.
"""

import asyncio
import itertools
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import click

from bench.books import measure_imports
from bench.ground import Ground, lay_ground
from bench.load import drive
from timebank.core import database, settings
from timebank.migrate import migrate
from timebank.operations import embedded

READY_SECONDS_MAX = 30
SERVING = "bench_serving"
WARM_UP_SECONDS = 3.0


@click.command()
@click.option("--seconds", default=8.0, show_default=True, help="length of one run")
@click.option("--rounds", default=3, show_default=True, help="runs of each, in turn")
@click.option("--connections", default=32, show_default=True, help="open at once, over HTTP and in pgbench")
@click.option("--persons", default=2000, show_default=True)
@click.option("--only", type=click.Choice(["books", "transfers"]), help="one of the two measurements")
@click.option("--workers", default=os.cpu_count() or 1, show_default=True, help="processes of the service")
def main(
    seconds: float, rounds: int, connections: int, persons: int, workers: int, only: str | None
) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="timebank-bench-") as folder:
        server = embedded.start(Path(folder))
        try:
            if only != "transfers":
                _books(server)
            if only == "books":
                return
            embedded.create_database(server, "bench")
            url, key = server.url("bench"), secrets.token_hex(32)
            settings.use(replace(settings.Settings(), database_url=url, secret_key=key.encode()))
            ground = asyncio.run(_ground(url, persons))
            script = Path(folder) / "transfer.sql"
            script.write_text(ground.pgbench)
            with _service(url, key, workers) as port:
                _http(ground, port, connections, WARM_UP_SECONDS)
                pairs = [
                    (_http(ground, port, connections, seconds), _pgbench(server, script, connections, seconds))
                    for _ in range(rounds)
                ]
            problems = asyncio.run(_check(url))
        finally:
            server.stop()
    _report(pairs, connections, workers, problems)


def _books(server: embedded.Server) -> None:
    """Measure the imports in a separate database, with the database role that the service uses."""
    embedded.create_database(server, "books")
    url = server.url("books")
    settings.use(replace(settings.Settings(), database_url=url, secret_key=secrets.token_hex(32).encode()))
    asyncio.run(migrate(url))
    embedded.create_login(server, SERVING, "books")
    asyncio.run(measure_imports(url, server.url("books", SERVING)))


async def _ground(url: str, persons: int) -> Ground:
    await migrate(url)
    await database.create_pool(url, 2)
    try:
        return await lay_ground(url, persons)
    finally:
        await database.close_pool()


class _service:  # noqa: N801  # used as `with _service(...) as port`
    """Runs `timebank serve` on a free port until the block ends, as a user would start it."""

    def __init__(self, url: str, key: str, workers: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        environment = os.environ | {
            "TIMEBANK_DATABASE_URL": url,
            "TIMEBANK_SECRET_KEY": key,
            "TIMEBANK_LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "timebank", "serve", "--port", str(self.port), "--workers", str(workers)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    def __enter__(self) -> int:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return self.port
        raise click.ClickException("the service did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


def _http(ground: Ground, port: int, connections: int, seconds: float) -> float:
    """Donations a second. Raises ClickException if any response is not 201."""
    load = asyncio.run(drive("127.0.0.1", port, _donations(ground, port), connections=connections, seconds=seconds))
    if set(load.statuses) != {201}:
        raise click.ClickException(f"answers other than 201: {dict(load.statuses)}")
    return load.per_second(201)


def _donations(ground: Ground, port: int) -> Iterator[bytes]:
    """An endless series of donation requests by all donors in turn, each with a new idempotency key."""
    for person_id, token in itertools.cycle(ground.donors):
        body = json.dumps({"person_id": str(person_id), "points": 1}).encode()
        yield (
            f"POST /api/v1/donations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Idempotency-Key: {uuid.uuid4()}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def _pgbench(server: embedded.Server, script: Path, connections: int, seconds: float) -> float:
    """Transactions a second of pgbench for the same transfer as one prepared statement."""
    command = [
        str(server.bin_dir / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={connections}", "--jobs=1",
        f"--time={max(1, round(seconds))}", f"--file={script}", server.url("bench"),
    ]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(next(line for line in out.splitlines() if line.startswith("tps")).split()[2])


async def _check(url: str) -> int:
    """The number of personal accounts whose stored balance differs from the sum of their transfers."""
    connection = await asyncpg.connect(url)
    wrong: int = await connection.fetchval(
        "SELECT count(*) FROM account a LEFT JOIN (SELECT account_id, sum(change) AS change FROM ("
        "SELECT debit_account AS account_id, -amount AS change FROM transfer "
        "UNION ALL SELECT credit_account, amount FROM transfer) legs GROUP BY account_id) s ON s.account_id = a.id "
        "WHERE a.owner_kind = 'person' AND a.balance <> coalesce(s.change, 0)"
    )
    await connection.close()
    return wrong


def _report(pairs: list[tuple[float, float]], connections: int, workers: int, wrong: int) -> None:
    click.echo(f"{connections} connections, {workers} process(es) of the service, {os.cpu_count()} processors")
    for http, pgbench in pairs:
        click.echo(f"HTTP {http:8.0f}/s    pgbench {pgbench:8.0f}/s    ratio {http / pgbench:.2f}")
    http, pgbench, ratio = (
        statistics.median(values) for values in zip(*((h, p, h / p) for h, p in pairs), strict=True)
    )
    click.echo(f"median: HTTP {http:.0f} transfers/s, pgbench {pgbench:.0f} transfers/s, ratio {ratio:.2f}")
    click.echo(f"accounts whose stored balance differs from the sum of their transfers: {wrong}")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
