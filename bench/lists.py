"""Prints how long the server takes for pages of the panel's lists at 100,000 residents and a million transfers.

Of each list the first page, one that is filtered, a search and a page deep in it, as the administrator reads them. The
application is called in this process, so that the time is the server's alone, rendering included.
"""

import os
import re
import statistics
import time
from html import unescape

import asyncpg
import click
import httpx

from tests.plans.ground import grow
from tests.support.town import Town, build_town
from timebank.app import create_app
from timebank.core import clock, database
from timebank.http.callers import SESSION_COOKIE, csrf_token
from timebank.overview.figures import count_figures
from timebank.overview.months import count_months

TARGET = 100
"""Milliseconds."""
ROUNDS, DEEP = 9, 20
SIZES = {"residents": 100_000, "records": 265_000, "deeds": 60_000, "redemptions": 60_000}
READER = "赵丽"

Asked = tuple[str, str, dict[str, str] | None]
"""What is measured in words, its address, and the fields of the form where it is a search."""


async def measure_lists(url: str, serving_url: str) -> None:
    """Lay the ground in an empty database, then ask for each page ROUNDS times after once unmeasured."""
    owner = await asyncpg.connect(url)
    await database.create_pool(serving_url, 4)
    Town.operator_url = url
    try:
        began = time.perf_counter()
        town = await build_town(owner)
        await grow(owner, town, clock.now(), **SIZES)
        await owner.execute("ANALYZE")
        rows = {of: await owner.fetchval(f"SELECT count(*) FROM {of}") for of in ("person", "transfer", "audit")}
        laid = ", ".join(f"{count:,} of {of}" for of, count in rows.items())
        click.echo(f"lists: {laid}, laid in {time.perf_counter() - began:.0f} s, {os.cpu_count()} processors")
        await count_figures(town.system())
        await count_months(town.system())
        transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # the two type ASGI differently
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=300) as client:
            token = await town.token(READER)
            client.headers["Cookie"] = f"{SESSION_COOKIE}={token}"
            await _measure(client, token, _pages(town))
    finally:
        await owner.close()
        await database.close_pool()


def _pages(town: Town) -> list[Asked]:
    heavy, today = town.people["张桂兰"], clock.local_day()
    name = {"q": "居民4321"}
    return [
        ("overview", "/admin", None),
        ("residents", "/admin/people", None),
        ("residents, filtered", "/admin/people?status=active", None),
        ("residents, searched", "/admin/people/search", name),
        ("residents, by four digits", "/admin/people/search", {"q": "0007"}),
        ("ledger", "/admin/ledger", None),
        ("entries of a person", f"/admin/ledger/entries?person_id={heavy}", None),
        ("entries of a kind", "/admin/ledger/entries?kind=reversal", None),
        ("entries of an amount", "/admin/ledger/entries?least=8&most=8", None),
        ("entries of no amount", "/admin/ledger/entries?least=999999", None),
        ("entries of a day", f"/admin/ledger/entries?since={today}&until={today}", None),
        ("a day's book", f"/admin/months/days/{today}", None),
        ("a month", f"/admin/months/{today.replace(day=1)}", None),
        ("audit trail", "/admin/audit", None),
        ("audit about a person", f"/admin/audit?about_id={heavy}", None),
        ("audit by a person", f"/admin/audit?person_id={heavy}", None),
        ("audit of a kind", "/admin/audit?verb=credit_record", None),
        ("hours", "/admin/reviews?status=approved", None),
        ("deeds", "/admin/deeds?status=credited", None),
        ("redemptions", "/admin/goods/redemptions", None),
        ("inbox", "/admin/inbox", None),
        ("found everywhere", "/admin/find", name),
    ]


async def _measure(client: httpx.AsyncClient, token: str, pages: list[Asked]) -> None:
    slow = 0
    for words, address, fields in pages:
        last = await _timed(client, token, words, address, fields)
        slow += last[1] > TARGET
        place = await _deep(client, address) if fields is None else None
        if place:
            slow += (await _timed(client, token, f"{words}, page {DEEP}", place, None))[1] > TARGET
    click.echo(f"lists over {TARGET} ms in the median: {slow}")


async def _timed(
    client: httpx.AsyncClient, token: str, words: str, address: str, fields: dict[str, str] | None
) -> tuple[str, float]:
    """Ask ROUNDS times and print the median and the worst."""
    took = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        if fields is None:
            answer = await client.get(address)
        else:
            answer = await client.post(address, data=fields | {"_csrf": csrf_token(token)})
        if number:
            took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise click.ClickException(f"{words}: {answer.status_code} {answer.text[:500]}")
    median, worst = statistics.median(took), max(took)
    over = "  OVER" if median > TARGET else ""
    click.echo(f"  {words:36} median {median:6.0f} ms  worst {worst:6.0f} ms  target {TARGET} ms{over}")
    return words, median


async def _deep(client: httpx.AsyncClient, address: str) -> str | None:
    """The address of the DEEP-th page by following the links, or of the last one before; None for a single page."""
    place = None
    for _ in range(DEEP - 1):
        found = re.search(r'href="([^"]*)" rel="next"', (await client.get(place or address)).text)
        if found is None:
            break
        place = unescape(found[1])
    return place
