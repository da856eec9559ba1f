"""Any verbs by any people in any order: the loop keeps its promises, and every refusal is a clear one."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.matters import CONTACT, GRID_HEAD, LEADER, MEMBER, MORNING, Ground
from tests.support.town import PHOENIX
from timebank.core import clock
from timebank.core.errors import NotFound, TimebankError
from timebank.matters.loop import dispatching, ending, rating, showing, talking
from timebank.matters.loop.confirming import ConfirmedOut
from timebank.matters.loop.placing import correct_area
from timebank.matters.reading.one import seen_matter
from timebank.matters.reading.shown import MatterOut, shown
from timebank.matters.schemas import AreaIn, FollowIn, PostponeIn, RatingIn

WHO = ("张桂兰", "张国庆", GRID_HEAD, "赵丽", "钱进", CONTACT, LEADER, MEMBER, "陈明", "周敏", "孙伟")
SERVED = timedelta(minutes=30)

Do = Callable[[Ground, UUID, str], Awaitable[Any]]


async def _rated(ground: Ground, matter: UUID, name: str, *, solved: bool) -> MatterOut:
    return await rating.rate(await ground.scope(name), matter, RatingIn(solved=solved, stars=3))


async def _postponed(ground: Ground, matter: UUID, name: str) -> MatterOut:
    until = clock.now() + timedelta(days=4)
    return await talking.postpone(await ground.scope(name), matter, PostponeIn(until, "等零件"))


async def _finished(ground: Ground, matter: UUID, name: str) -> MatterOut:
    return await ground.finish(matter, by=name, started_at=clock.now() - SERVED, ended_at=clock.now())


async def _up(ground: Ground, matter: UUID, name: str) -> MatterOut:
    return await dispatching.hand_up(await ground.scope(name), matter, "不归这里")


async def _down(ground: Ground, matter: UUID, name: str) -> MatterOut:
    return await dispatching.hand_down(await ground.scope(name), matter)


async def _withdrawn(ground: Ground, matter: UUID, name: str) -> MatterOut:
    return await ending.withdraw(await ground.scope(name), matter)


async def _followed(ground: Ground, matter: UUID, name: str) -> MatterOut:
    return await showing.follow(await ground.scope(name), matter, FollowIn("same"))


async def _corrected(ground: Ground, matter: UUID, name: str) -> MatterOut:
    areas = [ground.town.areas[f"{PHOENIX}/第一网格/{building}"] for building in ("3栋", "5栋")]
    return await correct_area(await ground.scope(name), matter, AreaIn(areas[clock.now().hour % 2], "看过了"))


DEEDS: dict[str, Do] = {
    "to the firm": lambda g, m, who: g.dispatch(m, by=who),
    "to the team": lambda g, m, who: g.dispatch(m, by=who, team_id=g.team),
    "to all": lambda g, m, who: g.dispatch(m, by=who, open_to="all"),
    "take": lambda g, m, who: g.take(m, by=who),
    "give up": lambda g, m, who: g.give_up(m, by=who),
    "return": lambda g, m, who: g.send_back(m, by=who),
    "finish": _finished,
    "confirm": lambda g, m, who: g.confirm(m, by=who),
    "untrue": lambda g, m, who: g.confirm(m, by=who, verified="untrue"),
    "solved": lambda g, m, who: _rated(g, m, who, solved=True),
    "not solved": lambda g, m, who: _rated(g, m, who, solved=False),
    "reopen": lambda g, m, who: g.reopen(m, by=who),
    "refuse": lambda g, m, who: g.refuse(m, by=who),
    "postpone": _postponed,
    "up": _up,
    "down": _down,
    "withdraw": _withdrawn,
    "follow": _followed,
    "to another building": _corrected,
}
# Most draws hit somebody who may: what is done by whom with good reason, before the rest.
LIKELY = [
    ("to the firm", GRID_HEAD), ("to the team", "赵丽"), ("take", CONTACT), ("take", LEADER), ("finish", CONTACT),
    ("finish", LEADER), ("return", CONTACT), ("solved", "张桂兰"), ("not solved", "张桂兰"), ("confirm", "赵丽"),
]  # fmt: skip
PLANS = st.lists(
    st.sampled_from(LIKELY) | st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from(WHO)), min_size=6, max_size=16
)


@settings(
    max_examples=14,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(kind=st.sampled_from(["report", "order"]), plan=PLANS)
async def test_whatever_anybody_does(
    ground: Ground, owner: asyncpg.Connection, kind: str, plan: list[tuple[str, str]]
) -> None:
    await owner.execute("TRUNCATE matter_follow, matter_helper, matter_step, rating, matter CASCADE")
    category = "repair" if kind == "order" else "street_light"
    matter = (await ground.open(kind=kind, category=category)).id
    for hour, (verb, name) in enumerate(plan, 1):
        with clock.at(MORNING + timedelta(hours=hour)):
            refused = await refusal_of(answers_as_read(ground, matter, name, DEEDS[verb]))
        assert refused is None or (400 <= refused.status < 500 and str(refused)), (verb, name, refused)
        await holds(owner, matter)


async def answers_as_read(ground: Ground, matter: UUID, name: str, do: Do) -> None:
    """Do it: what it answers is what the same person reads afterwards."""
    answer = await do(ground, matter, name)
    told = answer.matter if isinstance(answer, ConfirmedOut) else answer
    scope = await ground.scope(name)
    try:
        seen = await seen_matter(scope, matter)
    except NotFound:
        return  # whoever gave it back sees it no more
    assert told == shown(scope, seen.row, seen.caller, seen.view, may=seen.may)


async def refusal_of(doing: Awaitable[Any]) -> TimebankError | None:
    """What refuses it, or None where it is done."""
    try:
        await doing
    except TimebankError as refused:
        return refused
    return None


async def holds(owner: asyncpg.Connection, matter: UUID) -> None:
    """Never two handlers, never closed without a finish, and the steps lead to the row."""
    row = await owner.fetchrow("SELECT * FROM matter WHERE id = $1", matter)
    assert row is not None
    helping = await owner.fetchval(
        "SELECT count(*) FROM matter_helper WHERE matter_id = $1 AND left_at IS NULL", matter
    )
    assert helping <= row["people_wanted"]
    assert (row["unit_id"] is None) or (row["team_id"] is None)
    if row["status"] in ("done", "closed"):
        assert row["done_at"] is not None
        assert row["done_days"] is not None
    steps = await owner.fetch(
        "SELECT verb, from_status, to_status FROM matter_step WHERE matter_id = $1 ORDER BY at, id", matter
    )
    stood: str | None = None
    for step in steps:
        assert step["from_status"] == stood, (step["verb"], stood)
        stood = step["to_status"]
    assert stood == row["status"]
    returned = sum(step["verb"] == "return" for step in steps)
    assert (row["returns"], row["reopens"]) == (
        returned,
        sum(step["verb"] in ("reopen", "rate") and step["to_status"] == "dispatched" for step in steps),
    )
