"""The demo county: complete, the same on every machine, in balance, and with something to do for every role."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from tests.conftest import SECRET
from tests.demo.neighbourhood import helps_its_neighbours, lands_on_its_page, settles_matters
from tests.support.elsewhere import elsewhere
from timebank.commands.places import communities, system_scope
from timebank.core import clock, settings
from timebank.demo.county import COMMUNITIES
from timebank.demo.names import RARE, REGION, SIGN_IN_PHONES, Numbers, phone
from timebank.demo.population import KNOWN, ROLES, Resident, populate
from timebank.demo.seeding import do_a_day
from timebank.demo.settling import NotTheDemos, record_seeding_progress, seed_once, state
from timebank.demo.stories import Step
from timebank.expiry.expiring import waiting_expiries
from timebank.ledger.checking.check import check_ledger
from timebank.migrate import migrate
from timebank.people.identity.ages import age_on
from timebank.people.identity.citizen_number import Identity, parse_identity

TODAY = date(2026, 11, 21)


def whole_county(today: date) -> list[Resident]:
    rng, numbers = Random(1), Numbers()
    return [person for plan in COMMUNITIES for person in populate(plan, rng, numbers, today)]


@pytest.mark.parametrize("today", [TODAY, date(2027, 1, 1), date(2028, 2, 29), date(2026, 12, 31)])
def test_two_thousand_people_live_there_of_whom_two_hundred_are_children(today: date) -> None:
    people = whole_county(today)
    assert len(people) == 2000
    assert sum(age_on(person.born_on, today) < 14 for person in people) == 200
    assert all(0 <= age_on(person.born_on, today) < 100 for person in people)
    assert len({id(person.door) for person in people}) > 500


def test_the_same_people_live_there_on_every_machine() -> None:
    def told(people: list[Resident]) -> list[tuple[object, ...]]:
        return [(p.name, p.sex, p.born_on, p.phone, p.identity, *p.door.area, p.door.room) for p in people]

    assert told(whole_county(TODAY)) == told(whole_county(TODAY))


def test_nobody_there_can_be_anybody_else() -> None:
    """Phones are of an unassigned range, identity numbers of a region that does not exist, and each occurs once."""
    people = whole_county(TODAY)
    phones = [person.phone for person in people if person.phone]
    assert len(phones) == len(set(phones))
    assert all(number.startswith("1990000") and len(number) == 11 for number in phones)
    identities = [person.identity for person in people if person.identity]
    assert len(identities) == len(set(identities)) == 2000
    for person in people:
        said = parse_identity(person.identity or "")
        assert isinstance(said, Identity)
        assert said.number.startswith(REGION)
        assert (said.born_on, said.sex) == (person.born_on, "male" if person.sex == "男" else "female")


def test_names_are_as_real_ones_are() -> None:
    """There are rare characters, long names, two people of one name, and all residents whose logins the demo shows."""
    names = Counter(person.name for person in whole_county(TODAY))
    assert all(names[name] for name, _ in RARE)
    assert names["张伟"] >= 2
    assert all(names[known.name] for people in KNOWN.values() for known in people)
    assert {known.role for people in KNOWN.values() for known in people if known.role} == set(ROLES)


def test_guardians_live_with_their_children_and_are_of_age() -> None:
    for person in whole_county(TODAY):
        if age_on(person.born_on, TODAY) < 14:
            guardian = person.door.members[0]
            assert age_on(guardian.born_on, TODAY) - age_on(person.born_on, TODAY) >= 13
            assert guardian.phone is not None


async def test_a_days_rates_and_stock_are_set_before_anybody_uses_them() -> None:
    """The lanes of people run beside each other; what a community does must not depend on which of them is quicker."""
    community, people, done = UUID(int=1), [UUID(int=2), UUID(int=3)], []

    async def set_rate() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append("rate")

    async def visit() -> None:
        done.append("visit")

    steps = [Step(clock.at_local(TODAY, time(9)), lane, visit) for lane in people]
    refused = await do_a_day(community, [*steps, Step(clock.at_local(TODAY, time(10)), community, set_rate)])
    assert (done, refused) == (["rate", "visit", "visit"], [])


@pytest.fixture
async def county_url(pool: str, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """A new migrated database without data, to which the pool is connected, as `timebank demo` finds it."""
    name = f"{pool.rsplit('/', 1)[-1].split('?', maxsplit=1)[0]}_demo"
    await owner.execute(f'CREATE DATABASE "{name}"')
    url = pool.replace(name.removesuffix("_demo"), name)
    await migrate(url)
    async with elsewhere(replace(settings.current(), database_url=url), 12):
        yield url
    await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def nothing_is_done(total: int, steps: int) -> None:
    pytest.fail(f"{steps} of {total} were done")


async def test_a_communitys_own_data_is_left_alone(county_url: str) -> None:
    county = await asyncpg.connect(county_url)
    await county.execute(
        "INSERT INTO region VALUES (gen_random_uuid(), NULL, 'county', '别的县', 'bie', '{}', $1)", clock.now()
    )
    with pytest.raises(NotTheDemos):
        await seed_once(county_url, nothing_is_done)
    assert await county.fetchval("SELECT name FROM region") == "别的县"
    await county.close()


async def test_the_whole_county(county_url: str, tmp_path: Path) -> None:
    """An interrupted seeding is repeated from the start with progress reports; a second run changes nothing; the county
    is served on one address to every role."""
    await _break_off_a_seeding(county_url)
    told: list[tuple[int, int]] = []
    with capture_logs() as logged:
        await seed_once(county_url, lambda total, steps: told.append((total, steps)))
    assert [line for line in logged if line["event"] == "demo step refused"] == []
    assert {total for total, _ in told} == {sum(steps for _, steps in told)}, "the bar ends where it is full"
    assert await state() == "finished"
    county = await asyncpg.connect(county_url)
    await _is_as_large_as_promised(county)
    await _has_something_open_for_everybody(county)
    await helps_its_neighbours(county)
    await settles_matters(county)
    for community in await communities():
        books = await check_ledger(system_scope(community))
        assert [problem.text() for problem in books.problems] == []
        assert await waiting_expiries(system_scope(community)) == []
    yesterday = clock.local_day() - timedelta(days=1)
    closed = await county.fetch("SELECT until FROM books_closed")
    assert [row["until"] for row in closed] == [yesterday] * 3, "nobody has to confirm the date"
    before = await county.fetchval("SELECT count(*) FROM transfer")
    await seed_once(county_url, nothing_is_done)
    assert await county.fetchval("SELECT count(*) FROM transfer") == before
    await _serves_every_role(county_url, tmp_path)
    assert await county.fetchval("SELECT count(*) FROM device WHERE revoked_at IS NULL") == 0, "displays taken down"
    await county.close()


async def _break_off_a_seeding(url: str) -> None:
    await record_seeding_progress("begin_seeding")
    county = await asyncpg.connect(url)
    await county.execute(
        "INSERT INTO region VALUES (gen_random_uuid(), NULL, 'county', '清江县', 'qing', '{}', $1)", clock.now()
    )
    await county.close()
    assert await state() == "begun"


async def _is_as_large_as_promised(county: asyncpg.Connection) -> None:
    async def count(table: str, where: str = "true") -> int:
        return int(await county.fetchval(f"SELECT count(*) FROM {table} WHERE {where}"))

    regions = await county.fetch("SELECT kind, count(*) AS many FROM region GROUP BY kind")
    assert {row["kind"]: row["many"] for row in regions} == {"county": 1, "street": 2, "community": 3}
    assert await count("area", "kind = 'grid'") == 12
    assert await count("area", "kind = 'building'") == 40
    assert await count("station", "kind = 'station'") == 6
    assert await count("person") == 2005
    assert await county.fetchval("SELECT count(DISTINCT identity_index) FROM person") == 2000, "five live in one place"
    assert await count("visit") > 1000
    assert await count("deed", "status = 'credited'") > 200
    assert await count("redemption", "status = 'collected'") > 100
    assert await count("booking", "status = 'attended'") > 50
    span = await county.fetchrow("SELECT min(in_at) AS first, max(in_at) AS last FROM visit")
    assert span is not None
    assert 360 <= (span["last"] - span["first"]).days <= 366
    for table, moment in (
        ("transfer", "posted_at"),
        ("audit", "at"),
        ("redemption", "ended_at"),
        ("message", "created_at"),
    ):
        last = await county.fetchval(f"SELECT max({moment}) FROM {table}")
        assert last <= clock.now(), f"{table}: nothing has happened yet that is still to come"
    assert await count("scan", "status <> 'ok'") == 0, "every scan went as it was meant to"


async def _has_something_open_for_everybody(county: asyncpg.Connection) -> None:
    async def found(sql: str, *values: object) -> int:
        return int(await county.fetchval(sql, *values))

    person = "(SELECT id FROM person WHERE name = $1 ORDER BY created_at LIMIT 1)"
    waits = f"SELECT count(*) FROM redemption WHERE status = 'reserved' AND person_id = {person}"
    assert await found(waits, "张桂兰") == 1
    assert await found("SELECT count(*) FROM deed WHERE status = 'filed'") >= 1
    assert await found(f"SELECT count(*) FROM deed WHERE status = 'objected' AND person_id = {person}", "王建国") == 1
    assert await found(f"SELECT count(*) FROM deed WHERE status = 'noticed' AND person_id = {person}", "王建国") >= 1
    assert await found(f"SELECT count(*) FROM deed WHERE status = 'filed' AND person_id = {person}", "李秀英") >= 1
    for kind, status in (("honour", "pending"), ("honour", "noticed"), ("credit", "pending"), ("credit", "reversed")):
        assert await found("SELECT count(*) FROM service_record WHERE kind = $1 AND status = $2", kind, status), kind
    girl = f"SELECT count(*) FROM booking WHERE status = $2 AND child_id = {person}"
    assert await found(girl, "刘小雨", "held") >= 1
    assert await found(girl, "刘小雨", "waiting") == 1
    this_year = date(clock.local_day().year, 12, 31)
    expiring = f"SELECT sum(balance)::integer FROM account WHERE expires_on = $2 AND owner_id = {person}"
    assert await found(expiring, "张桂兰", this_year) > 0
    of = (
        "SELECT count(*) FROM waiting_change w JOIN person p ON p.id = w.proposed_by "
        "WHERE p.name = $1 AND w.status = $2 AND w.kind NOT IN ('course_terms', 'category_before')"
    )
    terms = of.replace("NOT IN", "IN")
    assert await found(terms, "赵丽", "agreed") >= 2, "the street has seen what the courses cost, and the categories"
    assert await found(terms, "赵丽", "waiting") == 0
    assert await found(of, "赵丽", "agreed") == await found(of, "赵丽", "waiting") == 1
    assert await found(of, "何静", "waiting") == 1, "the community with one administrator waits for the street"
    assert await found("SELECT count(*) FROM counter_confirmation WHERE status = 'waiting'") == 1
    unconfirmed = "SELECT count(*) FROM card WHERE issued_by_login IS NOT NULL AND confirmed_by_login IS NULL"
    assert await found(f"{unconfirmed} AND revoked_at IS NULL") == 1, "a card of the keeper's waits for somebody else"
    asked = "SELECT count(*) FROM deed WHERE status = 'filed' AND witness_answer IS NULL AND witness_id IS NOT NULL"
    assert await found(asked) >= 1, "a witness is asked"
    assert await found("SELECT count(*) FROM stock s JOIN good g ON g.id = s.good_id WHERE s.quantity <= 3") >= 3
    planned = "SELECT count(*) FROM shift WHERE starts_at > $1 AND seats_taken > 0 AND pattern_id IS NULL"
    assert await found(planned, clock.now()) == 1
    open_ = (
        "SELECT 'redemption', id FROM redemption WHERE status = 'reserved' "
        "UNION ALL SELECT 'booking', id FROM booking WHERE status = 'held'"
    )
    codes = "SELECT noun::text, noun_id FROM pickup"
    for these, those in ((open_, codes), (codes, open_)):
        assert await found(f"SELECT count(*) FROM (({these}) EXCEPT ({those})) AS other") == 0, (
            "codes are of what waits"
        )


async def _serves_every_role(url: str, folder: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""), "TIMEBANK_DATABASE_URL": url, "TIMEBANK_SECRET_KEY": SECRET.decode(),
    }  # fmt: skip
    command = [sys.executable, "-m", "timebank", "demo", "--port", "0", "--json", "--data", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=folder, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        async with httpx.AsyncClient(base_url=told["base_url"]) as client:
            for expected, sign_in in zip(ROLES, told["sign_ins"], strict=True):
                await _signs_in(client, expected, sign_in)
                await lands_on_its_page(told["base_url"], sign_in)
            for station in told["stations"]:
                UUID(station["id"])
                shown = await client.get(station["display_url"], follow_redirects=True)
                assert shown.status_code == 200
                assert station["name"] in shown.text
            assert [station["name"] for station in told["stations"]][:1] == ["暖蜂驿站"]
            assert len(told["stations"]) == 6
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.stdout.read(), 30) == b"", "one line and no more"
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _signs_in(client: httpx.AsyncClient, role: str, sign_in: dict[str, str]) -> None:
    assert sign_in["role"] == role
    assert sign_in["phone"] in {phone(number) for number in SIGN_IN_PHONES}
    opened = await client.post("/api/v1/sessions", json={"phone": sign_in["phone"], "password": sign_in["password"]})
    assert opened.status_code == 201
    me = (await client.get("/api/v1/me", headers={"Authorization": f"Bearer {opened.json()['token']}"})).json()
    own = me["persons"][0]
    assert (own["person_id"], own["community_id"]) == (sign_in["person_id"], sign_in["community_id"])
    if role not in ("volunteer", "guardian"):
        assert role in own["roles"]
    if role == "guardian":
        assert [child["name"] for child in me["children"]] == ["刘小雨"]
