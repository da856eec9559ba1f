"""A unit's contact, who serves a whole county: the matters that were given to the unit, and nobody's name elsewhere.

The contact lives in another street. In the round's community they have no record, and what they may there is said here.
"""

import copy
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.matrix.matrix import Operation, ask, operations, outcome
from tests.matrix.rounds import Round, first
from tests.matrix.test_matrix import class_of, expected, names_of
from tests.support.town import Town

# What every resident of the community reads: what it offers, by which rules, where and when.
OFFERED = {
    "GET /api/v1/activities", "GET /api/v1/activities/{activity_id}", "GET /api/v1/activities/{activity_id}/shifts",
    "GET /api/v1/areas", "GET /api/v1/courses", "GET /api/v1/courses/{course_id}",
    "GET /api/v1/courses/{course_id}/lessons", "GET /api/v1/goods", "GET /api/v1/goods/{good_id}",
    "GET /api/v1/goods/{good_id}/photo", "GET /api/v1/lessons/{lesson_id}", "GET /api/v1/matter-categories",
    "GET /api/v1/policies", "GET /api/v1/rules", "GET /api/v1/rules/{code}/versions", "GET /api/v1/shift-patterns",
    "GET /api/v1/skills", "GET /api/v1/stations", "GET /api/v1/stations/{station_id}", "GET /api/v1/teams",
    "GET /api/v1/units", "GET /board/{community_id}/{kind}/{item_id}", "GET /classes", "GET /matters/wishes",
}  # fmt: skip
# Lists of the own, which are empty, and what belongs to the sign-in and not to a community.
OWN = {
    "GET /api/v1/bookings", "GET /api/v1/deeds", "GET /api/v1/matters", "GET /api/v1/me", "GET /api/v1/redemptions",
    "GET /api/v1/service-records", "GET /communities", "GET /deeds", "GET /deeds/new", "GET /matters", "GET /password",
    "GET /scan", "GET /sign-ins", "GET /unit", "GET /work", "POST /api/v1/me/password", "POST /api/v1/photos",
    "POST /password", "POST /sign-ins/end", "DELETE /api/v1/sessions/current",
    # Each row of a batch is refused by itself; a code is read, and what it would do is refused after it.
    "POST /api/v1/checkins/batch", "POST /desk/scan/batch", "POST /scan", "POST /c/{payload}",
}  # fmt: skip
OF_THE_UNIT = {"GET /api/v1/units/{unit_id}/affiliations", "GET /api/v1/units/{unit_id}/summary"}
NAMES_ITS_PEOPLE = "GET /api/v1/units/{unit_id}/affiliations"
# What the contact may do with a matter that was given to the unit, and with one that the unit has taken.
HANDLES = {
    "GET /api/v1/matters/{matter_id}", "GET /matters/{matter_id}", "GET /unit/{community_id}/{matter_id}",
    *(f"POST /api/v1/matters/{{matter_id}}/{verb}" for verb in ("ask", "finish", "give-up", "return", "take")),
    *(f"POST /matters/{{matter_id}}/{verb}" for verb in ("finish", "giving-up", "question", "return", "take")),
    "POST /matters/{matter_id}/photos", "POST /unit/{community_id}/{matter_id}/{act}",
}  # fmt: skip
OF_ITS_MATTERS = ("/matters/{matter_id}", "/unit/{community_id}/{matter_id}")


@pytest.fixture(scope="session")
async def contacts_round(pool: str, app: Litestar, first_town: tuple[Town, str]) -> AsyncIterator[tuple[Round, str]]:
    async with first(pool, app, first_town, "contacts_round") as made:
        yield made


@pytest.fixture
async def made(contacts_round: tuple[Round, str], owner: asyncpg.Connection) -> Round:
    await owner.execute(contacts_round[1])
    return copy.deepcopy(contacts_round[0])


@pytest.fixture
def everything(app: Litestar) -> list[Operation]:
    """The operations that not even a stranger may; what a stranger may, a contact may too."""
    return [op for op in operations(app) if expected(op, "stranger") != "may"]


async def test_of_a_community_a_contact_reads_what_it_offers_and_nothing_of_its_people(
    made: Round, contacts_round: tuple[Round, str], everything: list[Operation], client: httpx.AsyncClient,
    owner: asyncpg.Connection,
) -> None:  # fmt: skip
    may, tells = set(), []
    for op in everything:
        answer = await ask(client, made, "contact", op)
        if class_of(op, answer) not in ("forbidden", "unseen"):
            may.add(op.name)
        if op.name != NAMES_ITS_PEOPLE and (told := [name for name in names_of(made) if name in answer.text]):
            tells.append(f"{op.name} tells {told}")
        if outcome(op, answer) == "done" and not op.is_look:
            await owner.execute(contacts_round[1])
    assert may == OFFERED | OWN | OF_THE_UNIT
    assert tells == []


async def test_a_contact_handles_what_was_given_to_the_unit(
    made: Round, contacts_round: tuple[Round, str], everything: list[Operation], client: httpx.AsyncClient,
    owner: asyncpg.Connection,
) -> None:  # fmt: skip
    given, taken = made.objects["unit's matter"], made.objects["unit's taken matter"]
    made.objects |= dict.fromkeys(("matter", "second matter", "offered matter", "higher matter"), given)
    made.objects |= dict.fromkeys(("taken matter", "done matter", "closed matter", "wish", "given wish"), taken)
    may, tells = set(), []
    for op in everything:
        if not any(part in op.path for part in OF_ITS_MATTERS):
            continue
        answer = await ask(client, made, "contact", op)
        if class_of(op, answer) not in ("forbidden", "unseen"):
            may.add(op.name)
        if told := [name for name in names_of(made) if name in answer.text]:
            tells.append(f"{op.name} tells {told}")
        if outcome(op, answer) == "done" and not op.is_look:
            await owner.execute(contacts_round[1])
    assert may == HANDLES
    assert tells == []
