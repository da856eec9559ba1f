"""A report of a place in another community: refused here, opened there once, with the first clock and its pictures."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from tests.matters.pages import Pages
from tests.support.matters import GRID_HEAD, MORNING, Ground
from tests.support.messages import messages_of
from tests.support.pictures import picture
from tests.support.town import SPRING
from timebank.core import clock
from timebank.core.errors import Invalid
from timebank.matters.loop import dispatching, ending, handling
from timebank.matters.loop.refusals import ReasonMissing
from timebank.matters.moving.leaving import MattersNotUsedThere
from timebank.matters.reading.one import find_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import DispatchIn, FinishIn, RefuseIn
from timebank.outbox.delivering import deliver_due
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep
from timebank.policies.values import change_policy

THERE = "何静"
LATER = MORNING + timedelta(hours=3)


async def moved(ground: Ground, matter: UUID, by: str = GRID_HEAD) -> MatterOut:
    there = ground.town.communities[SPRING]
    body = RefuseIn(because="elsewhere", note="在龙泉社区的路上", to_community=there)
    return await ending.refuse(await ground.scope(by), matter, body)


async def delivered(ground: Ground) -> None:
    """What the workers of both communities do: hand over, open there, and bring the number back."""
    for _each in range(2):
        for name in ground.town.communities:
            await deliver_due(ground.town.system(name))


async def arrived(owner: asyncpg.Connection, origin: UUID) -> asyncpg.Record:
    found = await owner.fetch("SELECT * FROM matter WHERE origin_kind = 'moved' AND origin_id = $1", origin)
    assert len(found) == 1, found
    return found[0]


async def test_it_is_opened_there_with_the_first_clock_and_its_pictures(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town = ground.town
    await change_policy(await town.scope(THERE), "uses_matters", 1)
    photo = await keep(await town.scope("张桂兰"), picture((300, 200)), SIDE_MAX)
    matter = (await ground.open(place="北门口", photo_ids=[photo.id])).id
    with clock.at(LATER):
        assert (await moved(ground, matter)).status == "refused"
        await delivered(ground)
        there = await arrived(owner, matter)
        assert (there["received_at"], there["created_at"]) == (MORNING, LATER)
        assert there["due_at"] == (await find_matter(await ground.scope(GRID_HEAD), matter)).first_due_at
        assert (there["status"], there["level"], there["reporter_id"]) == ("received", "community", None)
        assert (there["said"], there["category_code"]) == ("楼下的灯坏了", "street_light")
        assert "凤凰社区" in there["place"]
        assert "北门口" in there["place"]
        seen = await find_matter(await town.scope(THERE), there["id"])
        assert [each.stage for each in seen.photos] == ["before"]
        assert "dispatch" in seen.may
        texts = [each.text for each in await messages_of(town, "张桂兰")]
        assert any("龙泉社区" in text and there["number"] in text for text in texts), texts
        mine = await find_matter(await town.scope("张桂兰"), matter)
        assert [step.note for step in mine.steps][-1] == f"龙泉社区 {there['number']}"
    assert [each["word"] for each in await owner.fetch("SELECT last_error AS word FROM outbox")] == [None] * 4


async def test_delivered_twice_it_is_there_once(ground: Ground, owner: asyncpg.Connection) -> None:
    await change_policy(await ground.town.scope(THERE), "uses_matters", 1)
    matter = (await ground.open()).id
    await moved(ground, matter)
    await delivered(ground)
    await owner.execute(
        "UPDATE outbox SET done_at = NULL, due_at = $1 WHERE kind = 'matter_moves' OR to_community IS NOT NULL", MORNING
    )
    await asyncio.gather(*(deliver_due(ground.town.system(name)) for name in ground.town.communities for _n in "abc"))
    await delivered(ground)
    await arrived(owner, matter)
    assert await owner.fetchval("SELECT count(*) FROM matter_step WHERE verb = 'move' AND matter_id = $1", matter) == 1


async def test_who_has_a_record_there_is_its_reporter(ground: Ground, owner: asyncpg.Connection) -> None:
    town = ground.town
    await change_policy(await town.scope(THERE), "uses_matters", 1)
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.communities[SPRING], town.logins["张桂兰"], town.people["马涛"], MORNING,
    )  # fmt: skip
    matter = (await ground.open()).id
    await moved(ground, matter)
    await delivered(ground)
    assert (await arrived(owner, matter))["reporter_id"] == town.people["马涛"]


async def test_the_reporter_without_a_record_there_hears_what_came_of_it(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town = ground.town
    await change_policy(await town.scope(THERE), "uses_matters", 1)
    matter = (await ground.open()).id
    await moved(ground, matter)
    await delivered(ground)
    admin = await town.scope(THERE)
    there = (await arrived(owner, matter))["id"]
    await dispatching.dispatch(admin, there, DispatchIn(person_id=town.people["马涛"]))
    await handling.take_matter(await town.scope("马涛"), there)
    await handling.finish_matter(await town.scope("马涛"), there, FinishIn(result="换好了"))
    await delivered(ground)
    texts = [each.text for each in await messages_of(town, "张桂兰")]
    assert any("那边说办好了" in text for text in texts), texts


async def test_only_a_community_that_would_find_it_is_chosen(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = (await ground.open()).id
    with pytest.raises(MattersNotUsedThere):
        await moved(ground, matter)
    await change_policy(await ground.town.scope(THERE), "uses_matters", 1)
    head = await ground.scope(GRID_HEAD)
    here, there = ground.town.community, ground.town.communities[SPRING]
    for body, refusal in (
        ({"because": "elsewhere", "note": "那边"}, Invalid),
        ({"because": "elsewhere", "note": "那边", "to_community": here}, MattersNotUsedThere),
        ({"because": "not_ours", "note": "那边", "to_community": there}, Invalid),
        ({"because": "elsewhere", "to_community": there}, ReasonMissing),
    ):
        with pytest.raises(refusal):
            await ending.refuse(head, matter, msgspec.convert(body, RefuseIn))
    order = (await ground.open("李秀英", kind="order", category="repair")).id
    with pytest.raises(Invalid):
        await moved(ground, order, by="赵丽")
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 0


async def test_switched_off_meanwhile_it_waits_and_is_listed(ground: Ground, owner: asyncpg.Connection) -> None:
    admin = await ground.town.scope(THERE)
    await change_policy(admin, "uses_matters", 1)
    matter = (await ground.open()).id
    await moved(ground, matter)
    await change_policy(admin, "uses_matters", 0)
    await delivered(ground)
    assert await owner.fetchval("SELECT count(*) FROM matter WHERE origin_kind = 'moved'") == 0
    await change_policy(admin, "uses_matters", 1)
    with clock.at(MORNING + timedelta(hours=6)):
        await delivered(ground)
        assert (await arrived(owner, matter))["received_at"] == MORNING


async def test_the_panel_offers_the_communities(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    matter = (await ground.open()).id
    panel = await Pages.of(client, ground.town, "赵丽")
    at, form = f"/admin/matters/{matter}", f"/admin/matters/{matter}?act=refuse"
    assert "在别的社区" not in await panel.get(form)
    await change_policy(await ground.town.scope(THERE), "uses_matters", 1)
    assert SPRING in await panel.get(form)
    there = ground.town.communities[SPRING]
    assert "哪个社区" in await panel.refused(f"{at}/refuse", 422, because="elsewhere", note="那边的路")
    await panel.post(f"{at}/refuse", because="elsewhere", note="那边的路", to_community=there)
    assert await owner.fetchval("SELECT moved_to FROM matter WHERE id = $1", matter) == there
