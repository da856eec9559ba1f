"""A moved report that is moved again: one receipt, one clock, one number, wherever it goes or comes back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.matters.ground import add_grids
from tests.support.matters import GRID_HEAD, MORNING, Ground, grant, let_reports_earn
from tests.support.messages import messages_of
from tests.support.pictures import picture
from tests.support.town import PHOENIX, SPRING
from timebank.areas.places import add_region
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.core.scope import Role, Scope
from timebank.matters.figures.counting import count_matters
from timebank.matters.figures.reading import matter_figures
from timebank.matters.loop import confirming, dispatching, ending, handling
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import ConfirmIn, DispatchIn, FinishIn, RefuseIn
from timebank.outbox.delivering import deliver_due
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep
from timebank.policies.values import change_policy

WILLOW = "柳溪社区"
ABOVE = "钱进"
ADMINS = {PHOENIX: "赵丽", SPRING: "何静", WILLOW: "何静"}


@pytest.fixture
async def three(ground: Ground, owner: asyncpg.Connection) -> Ground:
    """Three communities with matters, all of one street."""
    town = ground.town
    willow = await add_region(await town.scope(ABOVE), "community", WILLOW, town.street)
    town.communities[WILLOW] = willow.id
    await add_grids(owner, willow.id, 1)
    await grant(owner, town, ADMINS[WILLOW], Role.community_admin, region_id=willow.id)
    for name in (SPRING, WILLOW):
        await change_policy(await scope_in(ground, name), "uses_matters", 1)
    return ground


async def scope_in(ground: Ground, community: str, by: str | None = None) -> Scope:
    return await ground.town.scope(by or ADMINS[community], ground.town.communities[community])


async def sent(ground: Ground, matter: UUID, at: str, to: str, by: str | None = None) -> None:
    """Refuse it in one community as another's, and let the workers of all deliver."""
    body = RefuseIn(because="elsewhere", note="那边的路", to_community=ground.town.communities[to])
    await ending.refuse(await scope_in(ground, at, by), matter, body)
    await delivered(ground)


async def delivered(ground: Ground) -> None:
    for _each in range(2):
        for name in ground.town.communities:
            await deliver_due(ground.town.system(name))


async def matters_in(owner: asyncpg.Connection, ground: Ground, community: str) -> Sequence[asyncpg.Record]:
    return await owner.fetch(
        "SELECT * FROM matter WHERE community_id = $1 ORDER BY id", ground.town.communities[community]
    )


async def one_in(owner: asyncpg.Connection, ground: Ground, community: str) -> asyncpg.Record:
    [found] = await matters_in(owner, ground, community)
    return found


async def texts_to(ground: Ground, name: str) -> list[str]:
    return [each.text for each in reversed(await messages_of(ground.town, name))]


async def done_in(ground: Ground, community: str, matter: UUID) -> None:
    admin = await scope_in(ground, community)
    people = {SPRING: "马涛", PHOENIX: "陈明"}
    if community in people:
        await dispatching.dispatch(admin, matter, DispatchIn(person_id=ground.town.people[people[community]]))
        handler = await scope_in(ground, community, people[community])
        await handling.take_matter(handler, matter)
        await handling.finish_matter(handler, matter, FinishIn(result="换好了"))


async def test_the_third_community_has_the_first_clock_words_place_and_pictures(
    three: Ground, owner: asyncpg.Connection
) -> None:
    photo = await keep(await three.town.scope("张桂兰"), picture((300, 200)), SIDE_MAX)
    matter = (await three.open(place="北门口", photo_ids=[photo.id])).id
    for hours, (at, to) in enumerate(((PHOENIX, SPRING), (SPRING, WILLOW)), 1):
        with clock.at(MORNING + timedelta(hours=hours)):
            await sent(three, (await one_in(owner, three, at))["id"], at, to)
    first, last = await one_in(owner, three, PHOENIX), await one_in(owner, three, WILLOW)
    assert last["received_at"] == MORNING
    assert last["due_at"] == first["due_at"]
    assert (last["said"], last["status"], last["place"]) == ("楼下的灯坏了", "received", "凤凰社区 第一网格3栋 北门口")
    assert (last["first_from"], last["first_id"]) == (three.town.community, matter)
    seen = await find_matter(await scope_in(three, WILLOW), last["id"])
    assert [each.stage for each in seen.photos] == ["before"]


async def test_who_spoke_hears_of_each_move_and_of_the_end_under_their_own_number(
    three: Ground, owner: asyncpg.Connection
) -> None:
    receipt = await three.open()
    await sent(three, receipt.id, PHOENIX, SPRING)
    middle = await one_in(owner, three, SPRING)
    await sent(three, middle["id"], SPRING, WILLOW)
    last = await one_in(owner, three, WILLOW)
    texts = await texts_to(three, "张桂兰")
    moves = [text for text in texts if "已转过去" in text]
    assert [any(number in text for text in moves) for number in (middle["number"], last["number"])] == [True, True]
    assert len(moves) == 2
    assert all(receipt.number in text for text in moves)
    assert f"在{WILLOW}" in moves[1]
    mine = await find_matter(await three.town.scope("张桂兰"), receipt.id)
    assert [step.note for step in mine.steps if step.verb == "move"] == [
        f"{SPRING} {middle['number']}", f"{WILLOW} {last['number']}",
    ]  # fmt: skip
    there = await find_matter(await scope_in(three, SPRING), middle["id"])
    assert [step.note for step in there.steps if step.verb == "move"] == [f"{WILLOW} {last['number']}"]
    await ending.refuse(await scope_in(three, WILLOW), last["id"], RefuseIn(because="cannot", note="要等大修"))
    await delivered(three)
    [news] = [text for text in await texts_to(three, "张桂兰") if "那边不办理" in text]
    assert (WILLOW in news, last["number"] in news) == (True, True)


async def test_who_has_a_record_in_the_third_community_is_its_reporter(
    three: Ground, owner: asyncpg.Connection
) -> None:
    town = three.town
    matter = (await three.open()).id
    await sent(three, matter, PHOENIX, WILLOW)
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.communities[SPRING], town.logins["张桂兰"], town.people["马涛"], MORNING,
    )  # fmt: skip
    willow = await one_in(owner, three, WILLOW)
    assert willow["reporter_id"] is None
    await sent(three, willow["id"], WILLOW, SPRING)
    assert (await one_in(owner, three, SPRING))["reporter_id"] == town.people["马涛"]


async def test_it_comes_back_as_the_same_matter(three: Ground, owner: asyncpg.Connection) -> None:
    await let_reports_earn(three.town)
    receipt = await three.open()
    before = await one_in(owner, three, PHOENIX)
    await sent(three, receipt.id, PHOENIX, SPRING, by=GRID_HEAD)
    with clock.at(MORNING + timedelta(hours=2)):
        await sent(three, (await one_in(owner, three, SPRING))["id"], SPRING, PHOENIX)
        again = await one_in(owner, three, PHOENIX)
        assert [again[name] for name in ("id", "number", "received_at", "due_at", "reporter_id")] == [
            before[name] for name in ("id", "number", "received_at", "due_at", "reporter_id")
        ]
        assert (again["status"], again["level"], again["returns"], again["final"]) == (
            "received",
            "community",
            1,
            False,
        )
        assert (again["refused_because"], again["moved_to"], again["closed_at"]) == (None, None, None)
        [back] = [text for text in await texts_to(three, "张桂兰") if "转回来接着办" in text]
        assert receipt.number in back
        assert any("又回来了" in text for text in await texts_to(three, "赵丽"))
        await done_in(three, PHOENIX, receipt.id)
        admin = await scope_in(three, PHOENIX)
        confirmed = await confirming.confirm_matter(admin, receipt.id, ConfirmIn(verified="true"))
        assert confirmed.award is not None
        await count_matters(admin)
        day = clock.local_day(MORNING)
        counted = (await matter_figures(admin, "grid", day, day)).total
        assert counted.received == 1
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE source_kind = 'matter'") == 1


async def test_to_and_fro_ends_with_the_level_above(three: Ground, owner: asyncpg.Connection) -> None:
    matter = (await three.open()).id
    for at, to in ((PHOENIX, SPRING), (SPRING, PHOENIX), (PHOENIX, SPRING)):
        await sent(three, (await one_in(owner, three, at))["id"], at, to)
    there = await one_in(owner, three, SPRING)
    assert (there["status"], there["returns"], there["moved_to"]) == ("received", 1, None)
    await sent(three, there["id"], SPRING, PHOENIX)
    home = await one_in(owner, three, PHOENIX)
    assert (home["id"], home["returns"], home["level"], home["final"]) == (matter, 2, "street", True)
    with pytest.raises(Forbidden):
        await sent(three, matter, PHOENIX, SPRING)
    assert any("又回来了" in text for text in await texts_to(three, ABOVE))
    assert len([text for text in await texts_to(three, "张桂兰") if "转回来接着办" in text]) == 2


async def test_round_three_communities_each_has_it_once(three: Ground, owner: asyncpg.Connection) -> None:
    matter = (await three.open()).id
    for at, to in ((PHOENIX, SPRING), (SPRING, WILLOW), (WILLOW, SPRING), (SPRING, PHOENIX)):
        await sent(three, (await one_in(owner, three, at))["id"], at, to)
    states = {name: (await one_in(owner, three, name))["status"] for name in ADMINS}
    assert states == {PHOENIX: "received", SPRING: "refused", WILLOW: "refused"}
    assert (await one_in(owner, three, PHOENIX))["id"] == matter
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_delivered_again_by_many_workers_nothing_is_doubled(three: Ground, owner: asyncpg.Connection) -> None:
    matter = (await three.open()).id
    for at, to in ((PHOENIX, SPRING), (SPRING, WILLOW), (WILLOW, PHOENIX)):
        await sent(three, (await one_in(owner, three, at))["id"], at, to)
    steps = await owner.fetchval("SELECT count(*) FROM matter_step")
    told = len(await texts_to(three, "张桂兰"))
    await owner.execute("UPDATE outbox SET done_at = NULL, due_at = $1 WHERE kind = 'matter_moves'", MORNING)
    await asyncio.gather(*(deliver_due(three.town.system(name)) for name in ADMINS for _n in "abc"))
    await delivered(three)
    assert (await one_in(owner, three, PHOENIX))["id"] == matter
    assert await owner.fetchval("SELECT count(*) FROM matter_step") == steps
    assert len(await texts_to(three, "张桂兰")) == told
