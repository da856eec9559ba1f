"""`make bench`: importing a year's workbooks, the panel's lists, and the verbs that people wait for, over HTTP and by
pgbench.

Each verb is measured as people use it: `timebank serve`, keep-alive connections, sessions, the codes that the stations
show now, new nonces and idempotency keys; a response that is not the expected one ends the run. Beside it, in turn in
every round, pgbench runs the least that the verb can cost as one prepared statement (scripts.py), on the same server
and tables. Between the warm-up and the first round the tables are analysed, as the server does by itself within a
minute. Beside the figures stands the processor time of one answer: of the service, of PostgreSQL and of the load, which
share the machine; that of PostgreSQL includes its work in the background, such as vacuuming. Afterwards the books and
the tables are compared with what was answered; the exit code is 1 where they differ.
"""

import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import click

from bench.books import measure_imports
from bench.checks import find_faults
from bench.ground import Ground, lay_ground
from bench.lists import measure_lists
from bench.load import Load, drive
from bench.matters import measure_matters
from bench.processors import spent
from bench.service import Pgbench, serving
from bench.verbs import VERBS, Requests, Verb
from timebank.core import settings
from timebank.migrate import migrate
from timebank.operations import embedded
from timebank.operations.logs import configure_logs

BOOKS, LISTS, MATTERS = "books", "lists", "matters"
SERVING = "bench_serving"
WARM_UP_SECONDS, WARM_UP_PART = 2.0, 20  # at most a twentieth of the people check in or out before the first round


@dataclass(frozen=True)
class Run:
    """Answers of the service and transactions of pgbench a second; processor milliseconds of one answer, by whose."""

    http: float
    pgbench: float
    milliseconds: dict[str, float]


Figures = dict[str, list[Run]]


@click.command()
@click.option("--seconds", default=8.0, show_default=True, help="length of one run; one of check-ins or check-outs ends"
              " earlier where everybody has been in or out")  # fmt: skip
@click.option("--rounds", default=3, show_default=True, help="runs of each, in turn")
@click.option("--connections", default=32, show_default=True, help="open at once, over HTTP and in pgbench")
@click.option("--persons", default=20_000, show_default=True, help="residents of each of the two communities")
@click.option("--workers", default=os.cpu_count() or 1, show_default=True, help="processes of the service")
@click.option(
    "--only",
    type=click.Choice([BOOKS, LISTS, MATTERS, *VERBS]),
    multiple=True,
    help="measure only this; may be repeated",
)
def main(
    seconds: float, rounds: int, connections: int, persons: int, workers: int, only: tuple[str, ...]
) -> None:  # fmt: skip
    verbs = {name: verb for name, verb in VERBS.items() if not only or name in only}
    figures: Figures = defaultdict(list)
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="timebank-bench-") as folder:
        server = embedded.start(Path(folder))
        try:
            if not only or BOOKS in only:
                _books(server)
            if not only or LISTS in only:
                _lists(server)
            if not only or MATTERS in only:
                _matters(server)
            if verbs:
                url, key = _database(server, "bench")
                ground = _ground(url, persons, inside="check-out" in verbs)
                pgbench = Pgbench(server, url, ground, connections, Path(folder))
                with serving(server.url("bench", SERVING), key, workers) as service:
                    requests = Requests(ground, service.port)
                    click.echo(
                        f"{connections} connections, {workers} processes of the service, {os.cpu_count()} processors"
                    )
                    processes = {"service": service.process.pid, "PostgreSQL": server.pid}
                    _measure(verbs, requests, pgbench, processes, rounds=rounds, seconds=seconds, figures=figures)
                faults = asyncio.run(find_faults(url, requests, pgbench.done))
        finally:
            server.stop()
    if verbs:
        _report(figures, faults)


def _database(server: embedded.Server, name: str) -> tuple[str, str]:
    """A migrated database with the login that the service uses. Returns its owner's URL and a new secret key."""
    embedded.create_database(server, name)
    url, key = server.url(name), secrets.token_hex(32)
    # Log lines would stand between the figures.
    settings.use(replace(settings.Settings(), database_url=url, secret_key=key.encode(), log_level="WARNING"))
    configure_logs()
    asyncio.run(migrate(url))
    embedded.create_login(server, SERVING, name)
    return url, key


def _books(server: embedded.Server) -> None:
    """Measure the imports in a separate database, with the database role that the service uses."""
    url, _ = _database(server, BOOKS)
    asyncio.run(measure_imports(url, server.url(BOOKS, SERVING)))


def _lists(server: embedded.Server) -> None:
    """Measure the lists of the panel in a separate database, with the database role that the service uses."""
    url, _ = _database(server, LISTS)
    asyncio.run(measure_lists(url, server.url(LISTS, SERVING)))


def _matters(server: embedded.Server) -> None:
    """Measure the pages of matters in a separate database, with the database role that the service uses."""
    url, _ = _database(server, MATTERS)
    asyncio.run(measure_matters(url, server.url(MATTERS, SERVING)))


def _ground(url: str, persons: int, *, inside: bool) -> Ground:
    began = time.perf_counter()
    ground = asyncio.run(lay_ground(url, persons, inside=inside))
    took, rows = time.perf_counter() - began, ", ".join(f"{count} {what}" for what, count in ground.rows.items())
    click.echo(f"two communities, laid in {took:.0f} s: {rows}; {len(ground.readers)} residents of each have a history")
    return ground


def _measure(
    verbs: dict[str, Verb], requests: Requests, pgbench: Pgbench, processes: dict[str, int],
    *, rounds: int, seconds: float, figures: Figures,
) -> None:  # fmt: skip
    """Each verb in each round: first the service, then pgbench."""
    for name, verb in verbs.items():
        over_http(name, verb, requests, pgbench.connections, min(seconds, WARM_UP_SECONDS), WARM_UP_PART)
    pgbench.analyse()
    for number in range(rounds):
        click.echo(f"round {number + 1}")
        for name, verb in verbs.items():
            before = spent(processes)
            load = over_http(name, verb, requests, pgbench.connections, seconds, rounds - number)
            each = {who: (until - before[who]) / load.answered * 1000 for who, until in spent(processes).items()}
            figures[name].append(Run(load.per_second, pgbench.per_second(verb, seconds), each))
            _line(name, figures[name][-1:])


def over_http(name: str, verb: Verb, requests: Requests, connections: int, seconds: float, runs_left: int) -> Load:
    """One run of a verb. Raises ClickException with what was answered instead of the expected."""
    load = asyncio.run(
        drive(
            requests.port, verb.requests(requests, runs_left), verb.expected, connections=connections, seconds=seconds
        )
    )
    if load.wrong:
        raise click.ClickException(f"{name}: {load.wrong[0][:2000]}")
    if not load.answered:
        raise click.ClickException(f"{name}: nobody is left to ask; take more --persons or fewer --rounds")
    return load


def _line(name: str, runs: list[Run]) -> None:
    """The medians of these runs."""
    http, pgbench = (
        statistics.median(figures) for figures in zip(*((run.http, run.pgbench) for run in runs), strict=True)
    )
    ratio = statistics.median(run.http / run.pgbench for run in runs)
    each = {who: statistics.median(run.milliseconds[who] for run in runs) for who in runs[0].milliseconds}
    taken = "".join(f"    {who} {milliseconds:.2f} ms" for who, milliseconds in each.items())
    click.echo(f"  {name:20} HTTP {http:7.0f}/s    pgbench {pgbench:7.0f}/s    ratio {ratio:.2f}{taken}")


def _report(figures: Figures, faults: list[str]) -> None:
    click.echo("medians")
    for name, runs in figures.items():
        _line(name, runs)
    for fault in faults:
        click.echo(f"WRONG: {fault}")
    if faults:
        sys.exit(1)
    click.echo("the books balance, and the tables hold what was answered")


if __name__ == "__main__":
    main()
