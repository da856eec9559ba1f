"""Who may do what with which object: every operation as every role, against one table of who may."""

import copy
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests import matrix
from tests.matrix import NAMED, Operation, address, ask, operations, outcome
from tests.matrix_rules import FREE, NEVER_DONE, RULES
from tests.rounds import DEVICES, OUTSIDE, PEOPLE, ROLES, Round, build, kept
from tests.town import PHOENIX, Town

SLICES = 12
TORTURES = 8
# What a refused request must leave as it is.
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
    """The round as it was made, and the script that brings its rows back."""
    built, script = first_town
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # ASGI, typed apart
    owner = await asyncpg.connect(pool)
    await owner.execute(script)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        made = await build(owner, client, copy.deepcopy(built))
    back = await kept(owner, "first_round")
    yield made, back
    await owner.execute("DROP SCHEMA first_round CASCADE")
    await owner.close()


@pytest.fixture
async def made(first_round: tuple[Round, str], owner: asyncpg.Connection) -> Round:
    await owner.execute(first_round[1])
    return copy.deepcopy(first_round[0])


def expected(op: Operation, role: str) -> str:
    """What the table says about an operation and a role."""
    [pattern] = [told for told, regex in RULES if any(re.fullmatch(each, op.name) for each in regex)]
    letter = pattern.replace(" ", "")[ROLES.index(role)]
    return {"y": "may", "f": "forbidden", "u": "unseen", "s": "sign in"}[letter]


def class_of(op: Operation, answer: httpx.Response) -> str:
    found = outcome(op, answer)
    return "may" if found in ("done", "refused") else found


async def test_every_operation_stands_in_the_table_once(app: Litestar) -> None:
    everything = operations(app)
    assert len(everything) > 300
    for op in everything:
        rules = [told for told, regex in RULES if any(re.fullmatch(each, op.name) for each in regex)]
        assert len(rules) == 1, f"{op.name}: say in tests/matrix_rules.py who may, once; it says {rules}"
    for told, regex in RULES:
        assert len(told.replace(" ", "")) == len(ROLES), told
        for each in regex:
            assert any(re.fullmatch(each, op.name) for op in everything), f"no operation is {each}"


def names_of(made: Round) -> list[str]:
    """The names of those who live in the community."""
    return [name for name, home in made.town.home.items() if home == made.town.communities[PHOENIX]]


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
            if (role in OUTSIDE or wanted in ("forbidden", "unseen", "sign in")) and any(n in answer.text for n in named):
                wrong.append(f"{op.name} as {role} tells {[n for n in named if n in answer.text]}")
            if op.is_look:
                continue
            if outcome(op, answer) == "done":
                await owner.execute(first_round[1])
            elif await owner.fetchval(STANDS) != stood:
                wrong.append(f"{op.name} as {role} is refused and yet changes something")
                await owner.execute(first_round[1])
        if done == (op.name in NEVER_DONE):
            wrong.append(f"{op.name} is {'done' if done else 'done by nobody: its request may be wrong'}")
    assert wrong == []
