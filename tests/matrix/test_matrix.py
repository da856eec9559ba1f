"""Authorisation: every operation as every role, compared with tests/matrix/matrix_rules.py."""

import copy
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.matrix.matrix import NAMED, Operation, address, ask, operations, outcome
from tests.matrix.matrix_rules import GENERAL, NEVER_DONE, OWN_WORDS, RULES
from tests.matrix.rounds import DEVICES, OUTSIDE, PEOPLE, ROLES, Round, first
from tests.support.saved import save_all
from tests.support.shop import API, key
from tests.support.town import Town
from timebank.core import clock

SLICES = 12
# A summary of the rows that a refused request may not change.
STANDS = (
    "SELECT concat_ws(' ', (SELECT count(*) FROM transfer), (SELECT count(*) FROM role_grant), "
    "(SELECT count(*) FROM person), (SELECT count(*) FROM membership), (SELECT count(*) FROM waiting_change), "
    "(SELECT count(*) FROM guardianship), (SELECT count(*) FROM card), (SELECT count(*) FROM device), "
    "(SELECT count(*) FROM policy), (SELECT count(*) FROM rule), (SELECT count(*) FROM one_time_code), "
    "(SELECT count(*) FROM stock_move), (SELECT md5(string_agg(status, '' ORDER BY id)) FROM deed), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM service_record), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM redemption), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM booking))"
)


@pytest.fixture(scope="session")
async def first_round(pool: str, app: Litestar, first_town: tuple[Town, str]) -> AsyncIterator[tuple[Round, str]]:
    """The round as built, and the SQL script that restores its rows."""
    async with first(pool, app, first_town, "first_round") as made:
        yield made


@pytest.fixture
async def made(first_round: tuple[Round, str], owner: asyncpg.Connection) -> Round:
    await owner.execute(first_round[1])
    return copy.deepcopy(first_round[0])


def rule_of(op: Operation) -> str:
    """The expected answers for an operation, a letter for each role; fails unless exactly one pattern applies."""
    named = [told for told, names in RULES.items() if op.name in names]
    found = named or [told for told, regex in GENERAL if re.fullmatch(regex, op.name)][:1]
    assert len(found) == 1, f"{op.name}: say in tests/matrix/matrix_rules.py who may, once; it says {found}"
    return found[0].replace(" ", "")


def expected(op: Operation, role: str) -> str:
    return {"y": "may", "f": "forbidden", "u": "unseen", "s": "sign in"}[rule_of(op)[ROLES.index(role)]]


def class_of(op: Operation, answer: httpx.Response) -> str:
    found = outcome(op, answer)
    return "may" if found in ("done", "refused") else found


async def test_the_table_says_of_every_operation_and_of_nothing_else_who_may(app: Litestar) -> None:
    everything = operations(app)
    assert len(everything) > 300
    assert {len(rule_of(op)) for op in everything} == {len(ROLES)}
    assert {name for names in RULES.values() for name in names} - {op.name for op in everything} == set()
    assert NEVER_DONE.keys() - {op.name for op in everything} == set()


def names_of(made: Round) -> list[str]:
    """The names of the community's residents, without the street and county administrators."""
    above = ("钱进", "吴昊")
    return [name for name, home in made.town.home.items() if home == made.town.community and name not in above]


@pytest.mark.parametrize("part", range(SLICES))
async def test_each_role_may_what_the_table_says_and_a_refusal_changes_nothing(
    first_round: tuple[Round, str], made: Round, app: Litestar, client: httpx.AsyncClient, owner: asyncpg.Connection,
    part: int,
) -> None:  # fmt: skip
    wrong: list[str] = []
    stood, named = await owner.fetchval(STANDS), names_of(made)
    for op in operations(app)[part::SLICES]:
        done = False
        for role in ROLES:
            answer = await ask(client, made, role, op)
            found, wanted = class_of(op, answer), expected(op, role)
            done = done or outcome(op, answer) == "done"
            if found != wanted:
                wrong.append(f"{op.name} as {role}: {found} ({answer.status_code}), not {wanted}")
            if (
                role in ("stranger", *OUTSIDE)
                and op.name not in OWN_WORDS
                and (told := [name for name in named if name in answer.text])
            ):
                wrong.append(f"{op.name} as {role} tells {told}")
            if op.is_look:
                continue
            if outcome(op, answer) == "done":
                await owner.execute(first_round[1])
            elif await owner.fetchval(STANDS) != stood:
                wrong.append(f"{op.name} as {role} is refused and yet changes something")
                await owner.execute(first_round[1])
        if done == (op.name in NEVER_DONE):
            wrong.append(f"{op.name} is {'done' if done else 'done by nobody: its request may be wrong'}")
    assert not wrong, "\n".join(wrong)


# Another community asks the holder of a phone whether a record is theirs; the holder, who lives here, may answer.
ASKED = ("POST /api/v1/me/memberships/{community_id}/{person_id}", "neighbour")

# The table of each path parameter's objects.
TABLES = {
    "grant_id": "role_grant", "person_id": "person", "agreement_id": "waiting_change", "message_id": "message",
    "guardianship_id": "guardianship", "area_id": "area", "deed_id": "deed", "objection_id": "objection",
    "record_id": "service_record", "station_id": "station", "device_id": "device", "activity_id": "activity",
    "shift_id": "shift", "pattern_id": "shift_pattern", "good_id": "good", "redemption_id": "redemption",
    "confirmation_id": "counter_confirmation",
    "course_id": "course", "lesson_id": "lesson", "booking_id": "booking", "run_id": "import_run",
    "draft_id": "import_draft", "visit_id": "visit", "photo_id": "photo", "decision_id": "mass_decision",
    "rest_id": "spending_rest",
}  # fmt: skip


async def objects_of(owner: asyncpg.Connection, op: Operation) -> list[tuple[str, str, UUID]]:
    """The objects that an operation's path may name: the path parameter, the object's id, and its community.

    Where a path has two parameters, only the last is varied; the one before names the page.
    """
    named = [name for name in re.findall(r"\{(\w+)\}", op.path) if name in TABLES]
    if not named:
        return []
    found = await owner.fetch(f"SELECT id::text, community_id FROM {TABLES[named[-1]]} ORDER BY id")
    return [(named[-1], row["id"], row["community_id"]) for row in found]


@pytest.mark.torture
@pytest.mark.parametrize("part", range(SLICES))
async def test_no_object_of_another_community_is_reached_and_no_object_makes_the_service_fail(
    first_round: tuple[Round, str], made: Round, app: Litestar, client: httpx.AsyncClient, owner: asyncpg.Connection,
    part: int,
) -> None:  # fmt: skip
    """Request every object of every community, active or ended, as every role."""
    wrong: list[str] = []
    town, asked = made.town, 0
    await more_objects(client, made)
    back = await save_all(owner, f"round_{part}")
    homes = {role: town.home[name] for role, name in PEOPLE.items()} | dict.fromkeys(DEVICES, town.community)
    for op in operations(app)[part::SLICES]:
        if op.path.startswith("/board/"):
            continue  # the public board is open to everybody
        for place, object_id, community in await objects_of(owner, op):
            chosen = about(made, op, place, object_id)
            for role in ROLES:
                answer = await ask(client, chosen, role, op)
                asked += 1
                found = outcome(op, answer)
                if found == "fault":
                    wrong.append(f"{op.name} of {object_id} as {role}: {answer.status_code}")
                if found == "done" and role in homes and homes[role] != community and (op.name, role) != ASKED:
                    wrong.append(f"{op.name} as {role} reaches another community's {place}")
                if found == "done" and not op.is_look:
                    await owner.execute(back)
    await owner.execute(f"DROP SCHEMA round_{part} CASCADE")
    assert asked > 0
    assert not wrong, "\n".join(wrong)


def about(made: Round, op: Operation, place: str, object_id: str) -> Round:
    """The same round with another object for one path parameter of an operation."""
    kinds = {kind for kind, value in made.objects.items() if value in address(op, made)}
    chosen = kinds & {NAMED[place], *(k for k in kinds if k.endswith(NAMED[place]))} or kinds
    return replace(made, objects=made.objects | dict.fromkeys(chosen, object_id))


async def more_objects(client: httpx.AsyncClient, made: Round) -> None:
    """Create ended objects in this community, and objects in the neighbouring one."""
    objects, station = made.objects, made.town.stations["龙泉驿站"]
    begins = clock.now() - timedelta(hours=3)
    hours = {
        "person_id": str(made.town.people["马涛"]), "station_id": str(station), "started_at": begins.isoformat(),
        "ended_at": (begins + timedelta(hours=1)).isoformat(), "reason": "停电",
    }  # fmt: skip
    wanted = {"person_id": objects["person"], "good_id": objects["good"], "station_id": objects["station"]}
    made_there = await client.post(f"{API}/redemptions", json=wanted, headers=made.bearer["owner"] | key())
    asked: list[tuple[str, str, str, object]] = [
        ("owner", "DELETE", f"/redemptions/{made_there.json()['id']}", None),
        ("keeper", "DELETE", f"/people/{objects['person']}/card", None),
        ("keeper", "POST", f"/people/{objects['person']}/card", None),
        ("keeper", "DELETE", f"/shifts/{objects['shift']}", None),
        ("admin", "DELETE", f"/roles/{objects['grant']}", None),
        ("admin", "POST", f"/courses/{objects['second course']}/stop", {"reason": "人太少"}),
        ("admin elsewhere", "POST", "/goods", {"name": "茶叶", "points": 9}),
        ("admin elsewhere", "POST", "/rules", {"kind": "deed", "name": "巡河", "points": 2}),
        ("admin elsewhere", "POST", f"/stations/{station}/devices", {"name": "屏幕", "kind": "display"}),
        ("admin elsewhere", "POST", f"/people/{made.town.people['马涛']}/card", None),
        ("admin elsewhere", "POST", "/service-records", hours),
    ]
    for role, method, path, body in asked:
        answer = await client.request(method, f"{API}{path}", json=body, headers=made.bearer[role] | key())
        assert answer.is_success, f"{method} {path}: {answer.text}"
