"""Imports a year's workbooks and prints the time, the statements a row and the memory of trial, run and undo."""

import io
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import asyncpg
import click

from bench.ground import insert_community
from timebank.access.sign_in import sessions
from timebank.core import clock, database, vault
from timebank.core.scope import Scope
from timebank.imports.intake import Kind
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.undo import undo

PEOPLE = 400
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "安宁平康和顺福禄寿喜春夏秋冬梅兰竹菊松柏"

# 400 people behind 400 doors of one unit, the first of whom administers the community, and what hours and deeds need.
_GROUND = """
WITH place AS (
    INSERT INTO area (community_id, id, kind, name, pinyin, path, created_at)
    SELECT $1, a.id, 'building', '3栋', '3dong', ARRAY[a.id], now() FROM (SELECT gen_random_uuid() AS id) AS a
    RETURNING id
), home AS (
    INSERT INTO household (community_id, id, area_id, room, head_name, created_at)
    SELECT $1, n.household, place.id, n.room, n.name, now()
    FROM unnest($3::uuid[], $4::text[], $5::text[]) AS n (household, room, name), place RETURNING id
), people AS (
    INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, phone_index, phone_last4,
                        publishes_name, status, code_epoch, created_at)
    SELECT $1, n.person, home.id, n.name, n.name, n.room, n.phone, '0000', false, 'active', 1, now()
    FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[]) AS n (person, household, room, name, phone)
    JOIN home ON home.id = n.household RETURNING id
), admin AS (
    INSERT INTO login (id, phone_index, phone_sealed, created_at) VALUES ($7, $6[1], $8, now()) RETURNING id
), member AS (
    INSERT INTO membership (community_id, login_id, person_id, created_at)
    SELECT $1, admin.id, people.id, now() FROM admin, people WHERE people.id = $2[1]
), granted AS (
    INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at)
    SELECT $1, gen_random_uuid(), people.id, 'community_admin', $1, '2026-01-01', now() FROM people WHERE id = $2[1]
)
INSERT INTO rule (community_id, code, version, kind, name, minutes_per_point, points, active, valid_from) VALUES
    ($1, 'service', 1, 'service', '志愿服务', 6, NULL, true, '2020-01-01'),
    ($1, 'patrol', 1, 'deed', '楼道卫生巡查', NULL, 2, true, '2020-01-01')
ON CONFLICT DO NOTHING
"""


async def lay_people(url: str, community: UUID) -> tuple[UUID, list[tuple[str, str]]]:
    """Insert the people and their administrator; return the administrator's login and the people as (name, phone)."""
    people = [(a + b, f"1980{n:07}") for n, (a, b) in enumerate((a, b) for a in SURNAMES for b in GIVEN)][:PEOPLE]
    login = clock.new_id()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            _GROUND, community, [clock.new_id() for _ in people], [clock.new_id() for _ in people],
            [str(n) for n in range(len(people))], [name for name, _ in people],
            [vault.blind_index(phone, "phone") for _, phone in people], login, vault.seal(people[0][1], "phone"),
        )  # fmt: skip
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return login, people


def hours_book(people: Sequence[tuple[str, str]], rows: int) -> bytes:
    """A sign-in sheet with this many rows, without overlapping services of one person."""
    day = clock.local_day()
    found = [
        [(day - timedelta(days=n // len(people) // 4 + 1)).isoformat(), "站点值守", "村口", *people[n % len(people)],
         f"{8 + n // len(people) % 4 * 2}:00", f"{9 + n // len(people) % 4 * 2}:00"]
        for n in range(rows)
    ]  # fmt: skip
    return _saved(["日期", "活动", "地点", "姓名", "电话", "签到时间", "签退时间"], found)


def deeds_book(people: Sequence[tuple[str, str]], rows: int) -> bytes:
    """A moral-bank workbook with this many deeds."""
    day = clock.local_day()
    found = [
        [(day - timedelta(days=n // len(people) + 1)).isoformat(), people[n % len(people)][0], "3栋", "楼道卫生巡查", 2,
         people[max(1, (n + 7) % len(people))][0]]  # the first of them files the book
        for n in range(rows)
    ]  # fmt: skip
    return _saved(["日期", "姓名", "楼栋单元", "事项", "分值", "证明人"], found)


def roster_book(rows: int) -> bytes:
    """A roster of this many people with phones, three to a household, none of them registered yet."""
    names = [first + second + third for first in SURNAMES for second in GIVEN for third in GIVEN]
    found = [
        [f"{n // 300 + 5}栋", f"{n // 75 % 4 + 1}单元", str(100 + n // 3 % 25), names[n // 3], names[n],
         "户主" if n % 3 == 0 else "其他", f"1970{n:07}", f"{1940 + n % 60}-0{n % 9 + 1}-1{n % 10}"]
        for n in range(rows)
    ]  # fmt: skip
    return _saved(["楼栋", "单元", "房号", "户主", "姓名", "与户主关系", "电话", "出生日期"], found)


def _saved(heading: list[str], rows: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    for row in [heading, *rows]:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the statements that the block sends; the yielded list holds the count as its only element."""
    count, proxy = [0], asyncpg.pool.PoolConnectionProxy
    originals = {name: getattr(proxy, name) for name in ("execute", "fetch", "fetchrow", "fetchval")}

    def counting(original: Any) -> Any:
        async def once(self: Any, *args: Any, **values: Any) -> Any:
            count[0] += 1
            return await original(self, *args, **values)

        return once

    for name, original in originals.items():
        setattr(proxy, name, counting(original))
    try:
        yield count
    finally:
        for name, original in originals.items():
            setattr(proxy, name, original)


async def measure_imports(url: str, serving_url: str) -> None:
    """Import hours, deeds and residents as an administrator, and print the cost of each step."""
    connection = await asyncpg.connect(url)
    community = await insert_community(connection)
    await connection.close()
    login, people = await lay_people(url, community)
    await database.create_pool(url, 2)
    token = (await sessions.open_session(login)).token
    await database.close_pool()
    await database.create_pool(serving_url, 4)
    caller = await sessions.find_session(token)
    assert caller is not None
    scope = Scope(
        community_id=community,
        persons=caller.persons,
        grants=caller.grants,
        login_id=caller.login_id,
        session_id=caller.session_id,
    )
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as beside:  # or making them would count as reading them
            books: list[tuple[Kind, int, bytes]] = [
                ("hours", 10_000, beside.submit(hours_book, people, 10_000).result()),
                ("deeds", 5_000, beside.submit(deeds_book, people, 5_000).result()),
                ("residents", 5_000, beside.submit(roster_book, 5_000).result()),
            ]
        for kind, rows, content in books:
            await _read(scope, kind, content, rows)
    finally:
        await database.close_pool()


async def _read(scope: Scope, kind: Kind, content: bytes, rows: int) -> None:
    """Measure the trial run, the import and the undo of one workbook."""
    with _measured(f"{kind} tried", rows):
        tried = await import_file(scope, kind, f"{kind}.xlsx", content, dry_run=True, skip_bad=True)
    with _measured(f"{kind} taken in", rows):
        report = await import_file(scope, kind, f"{kind}.xlsx", content, skip_bad=True)
    if not tried.created == report.created == rows or report.run_id is None:
        raise click.ClickException(f"{kind}: {report.created} of {rows} rows: {report.errors[:2]}")
    with _measured(f"{kind} taken back", rows):
        await undo(scope, report.run_id)


@contextmanager
def _measured(what: str, rows: int) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    with counted() as count:
        yield
    took, worked = time.perf_counter() - began, time.process_time() - worked
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    click.echo(
        f"{what:20} {rows:6} rows  {took:5.1f} s ({worked:.1f} s of them our own)  "
        f"{count[0] / rows:.3f} statements a row  {most:.0f} MB at most"
    )
