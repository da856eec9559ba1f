"""docs/duties.md is true: it names every route and verb that there is, and each of its lines is driven."""

import copy
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.matrix import drives_grants, drives_mints, drives_reveals, drives_serves
from tests.matrix.duties import DRIVERS, Driving, lines
from tests.matrix.duties_apart import LOOKS, OTHER_ROUTES, OTHER_VERBS, SHOWN
from tests.matrix.matrix import operations
from tests.matrix.rounds import Round, first
from tests.matrix.test_told import audited
from tests.support.town import Town
from timebank.cli import COMMANDS

LINES = {line.id: line for line in lines()}
GROUPS = (drives_mints, drives_serves, drives_grants, drives_reveals)


def routes() -> set[str]:
    return {route for line in LINES.values() for route in line.routes}


def test_each_line_has_an_id_of_its_own_and_something_that_drives_it() -> None:
    assert len(LINES) == len(lines())
    assert LINES.keys() == DRIVERS.keys(), f"{[module.__name__ for module in GROUPS]} drive each line of docs/duties.md"


def test_each_route_and_command_that_the_document_names_is_there(app: Litestar) -> None:
    assert routes() - {op.name for op in operations(app)} == set()
    commands = {command.removeprefix("timebank ") for line in LINES.values() for command in line.commands}
    assert commands - COMMANDS.keys() == set()


def test_each_route_that_changes_or_reveals_something_is_in_the_document(app: Litestar) -> None:
    apart = OTHER_ROUTES | LOOKS
    assert apart.keys() & routes() == set()
    known = {op.name for op in operations(app)}
    assert known - routes() - apart.keys() == set(), "say in docs/duties.md who may, or why it needs no line"
    assert apart.keys() - known == set()


def test_each_verb_of_the_audit_is_in_the_document() -> None:
    named = {verb for line in LINES.values() for verb in line.verbs}
    recorded = {verb.partition(" ")[0] for verb in audited()}
    assert recorded - named - OTHER_VERBS.keys() == set(), "say in docs/duties.md who may, or why it needs no line"
    assert named - recorded == set()
    assert OTHER_VERBS.keys() & named == set()


def test_what_is_shown_elsewhere_is_shown_there() -> None:
    named = {verb for line in LINES.values() for verb in line.verbs}
    assert SHOWN.keys() - named == set()
    for verb, where in SHOWN.items():
        assert not where.startswith("tests/") or (Path(__file__).parents[2] / where).exists(), verb


@pytest.fixture(scope="session")
async def first_duties(pool: str, app: Litestar, first_town: tuple[Town, str]) -> AsyncIterator[tuple[Round, str]]:
    """The round as it was made, and the script that brings its rows back."""
    async with first(pool, app, first_town, "first_duties") as made:
        yield made


@pytest.mark.parametrize("line", LINES)
async def test_who_may_not_is_refused_a_second_person_is_asked_and_the_audit_has_it(
    first_duties: tuple[Round, str], app: Litestar, client: httpx.AsyncClient, owner: asyncpg.Connection, pool: str,
    tmp_path: Path, line: str,
) -> None:  # fmt: skip
    made, back = first_duties
    await owner.execute(back)
    driven = Driving(
        app=app, client=client, owner=owner, made=copy.deepcopy(made), line=LINES[line], folder=tmp_path, database=pool
    )
    await DRIVERS[line](driven)
    unseen = set(LINES[line].verbs) - driven.seen - SHOWN.keys()
    assert unseen == set(), "drive what records these verbs, or say in duties_apart.py beside this where they are shown"
    assert not driven.waited or line in SAYS_WHO_AGREES, "the document says that nobody must agree"


SAYS_WHO_AGREES = {line.id for line in LINES.values() if line.agrees != "不用"}
