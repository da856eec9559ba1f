"""The phone of who is on duty in a grid: what is next, a new event, dispatch by one tap, spot checks."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matters.pages import Pages
from tests.support.matters import BUILDING, CONTACT, FIRM, GRID_HEAD, MEMBER, MORNING, Ground
from tests.support.pictures import picture
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.matters.checks.looking import CheckIn, record_spot_check, spot_checks
from timebank.matters.loop.refusals import PartyToMatter
from timebank.matters.reading.one import find_matter
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn

HOME = "/worker"


@pytest.fixture
async def head(ground: Ground, client: httpx.AsyncClient) -> Pages:
    return await Pages.of(client, ground.town, GRID_HEAD)


@pytest.fixture
async def worker(ground: Ground, client: httpx.AsyncClient) -> Pages:
    return await Pages.of(client, ground.town, "陈明")


async def usual(owner: asyncpg.Connection, ground: Ground) -> None:
    """Street lights go to the firm."""
    await owner.execute(
        "UPDATE matter_category SET unit_id = $1 WHERE code = 'street_light' AND community_id = $2",
        ground.units[FIRM], ground.town.community,
    )  # fmt: skip


async def test_a_grid_head_lands_on_what_is_next_and_dispatches_by_one_tap(
    ground: Ground, head: Pages, owner: asyncpg.Connection
) -> None:
    await usual(owner, ground)
    assert (await head.client.get("/work", headers=head.headers)).headers["location"] == HOME
    assert "今天没有要办的事" in await head.get(HOME)
    matter = (await ground.open()).id
    page = await head.get(HOME)
    assert "派单 1" in page
    assert f"派给{FIRM}" in page
    await head.post(f"{HOME}/matters/{matter}/dispatch")
    assert "派单 1" not in await head.get(HOME)
    with clock.at(MORNING + timedelta(days=3)):
        assert "网格里超期的" in await head.get(HOME)
    await ground.take(matter)
    await ground.finish(matter)
    assert "等核实" in await head.get(HOME)
    confirmed = await head.post(f"{HOME}/matters/{matter}/confirm", verified="true")
    assert "没有记分" in await head.get(confirmed.headers["location"])


async def test_a_worker_opens_an_event_by_choosing_its_category_and_finishes_it_with_a_picture(
    ground: Ground, worker: Pages, head: Pages
) -> None:
    assert (await worker.client.get("/work", headers=worker.headers)).headers["location"] == HOME
    page = await worker.get(f"{HOME}/new")
    assert 'value="manhole"' in page
    building = ground.town.areas[BUILDING]
    opened = await worker.post(f"{HOME}/new", photo=picture((300, 200), "PNG"), category="manhole", area_id=building)
    there = opened.headers["location"].partition("?")[0]
    shown = await worker.get(opened.headers["location"])
    assert "收到了，等网格长派单。" in shown
    assert "办之前" in shown, "its picture"
    matter = UUID(there.rpartition("/")[2])
    await head.post(f"{there}/dispatch", to=f"person:{ground.town.people['陈明']}")
    assert "要办 1" in await worker.get(HOME)
    await worker.post(f"{there}/take")
    await worker.post(f"{there}/finish", photo=picture((300, 200), "PNG", "#0F766E"), result="换了井盖")
    found = await find_matter(await ground.town.scope("赵丽"), matter)
    assert [photo.stage for photo in found.photos] == ["before", "after"]
    assert found.status == "done"
    assert "类别" in await worker.refused(f"{HOME}/new", 422, area_id=building)
    assert "找到" in await worker.refused(f"{HOME}/new", 404, category="manhole", area_id=clock.new_id())


async def test_a_grid_head_hands_up_and_a_worker_may_not_dispatch(ground: Ground, head: Pages, worker: Pages) -> None:
    matter = (await ground.open()).id
    at = f"{HOME}/matters/{matter}"
    assert "等网格长派单" in await worker.get(HOME)
    await worker.post(f"{at}/dispatch", 403, to=f"team:{ground.team}")
    assert "请写明原因" in await head.refused(f"{at}/hand_up", 422)
    await head.post(f"{at}/hand_up", reason="不归网格")
    assert "社区" in await head.get(at)
    await head.post(f"{at}/dispatch", 403, to=f"team:{ground.team}")


async def test_what_the_resident_has_rated_still_waits_for_the_grid_head_to_confirm_it(
    ground: Ground, head: Pages, worker: Pages
) -> None:
    """The points of who reported it wait for this; who works in the grid is not asked."""
    matter = await ground.done()
    assert "核实 1" in await head.get(HOME)
    await ground.rate(matter)
    assert "核实 1" in await head.get(HOME)
    assert "等核实" not in await worker.get(HOME)
    await ground.confirm(matter)
    assert "等核实" not in await head.get(HOME)


async def drawn(owner: asyncpg.Connection, ground: Ground, matter_id: UUID) -> UUID:
    """A spot check of this matter, as the worker draws some each night."""
    check = clock.new_id()
    await owner.execute(
        "INSERT INTO spot_check (community_id, id, noun, noun_id, drawn_on, area_id) "
        "SELECT community_id, $2, 'matter', id, $3, area_id FROM matter WHERE id = $1",
        matter_id, check, clock.local_day(),
    )  # fmt: skip
    return check


async def test_a_spot_check_that_finds_it_untrue_opens_it_again_and_takes_its_points_back(
    ground: Ground, head: Pages, worker: Pages, owner: asyncpg.Connection
) -> None:
    matter = await ground.done()
    rule = RuleIn(
        kind="deed", code="true_report", name="反映属实", points=2, trigger="report_confirmed", cap_period="week",
        cap_per_person=5, cap_per_area=8, unit="每件",
    )  # fmt: skip
    with clock.at(MORNING - timedelta(days=100)):
        await set_rule(await ground.town.scope("赵丽"), rule)
    earned = await ground.confirm(matter, by="赵丽")
    assert earned.award is not None
    check = await drawn(owner, ground, matter)
    assert "抽查 1" in await head.get(HOME)
    assert "抽查" not in await worker.get(HOME)
    assert "真的办好了吗？" in await head.get(f"{HOME}/checks/{check}")
    await worker.get(f"{HOME}/checks/{check}", 404)
    assert "请写明原因" in await head.refused(f"{HOME}/checks/{check}", 422, found="untrue")
    done = await head.post(f"{HOME}/checks/{check}", found="untrue", note="灯还是不亮")
    assert "抽查记下了。" in await head.get(done.headers["location"])
    found = await find_matter(await ground.town.scope("赵丽"), matter)
    assert (found.status, found.reopens, found.verified) == ("dispatched", 1, None)
    assert found.steps[-1].note == "灯还是不亮"
    assert "已经有人看过" in await head.refused(f"{HOME}/checks/{check}", 409, found="true")
    assert await spot_checks(await ground.town.scope(GRID_HEAD)) == []
    assert [row["status"] for row in await owner.fetch("SELECT status FROM deed WHERE source_id = $1", matter)] == [
        "rejected"
    ]


async def test_a_true_spot_check_changes_nothing_and_a_party_makes_none(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    matter = await ground.done()
    check = await drawn(owner, ground, matter)
    await record_spot_check(await ground.town.scope("赵丽"), check, CheckIn(found="true"))
    assert (await find_matter(await ground.town.scope("赵丽"), matter)).status == "done"
    own = (await ground.open(GRID_HEAD)).id
    await ground.dispatch(own, by="赵丽")
    await ground.take(own)
    await ground.finish(own)
    mine = await drawn(owner, ground, own)
    scope = await ground.town.scope(GRID_HEAD)
    assert await spot_checks(scope) == []
    with pytest.raises(PartyToMatter):
        await record_spot_check(scope, mine, CheckIn(found="true"))
    with pytest.raises(NotFound):
        await record_spot_check(await ground.town.scope("李秀英"), mine, CheckIn(found="true"))


@pytest.mark.parametrize("name", ["张桂兰", CONTACT, MEMBER, "周敏"])
async def test_the_pages_are_for_those_on_duty(ground: Ground, client: httpx.AsyncClient, name: str) -> None:
    matter = (await ground.open()).id
    pages = await Pages.of(client, ground.town, name)
    for path in (HOME, f"{HOME}/new", f"{HOME}/matters/{matter}", f"{HOME}/checks/{matter}"):
        await pages.get(path, 403)
    await pages.post(f"{HOME}/new", 403, category="manhole", area_id=ground.town.areas[BUILDING])
    await pages.post(f"{HOME}/matters/{matter}/take", 403)
    await pages.post(f"{HOME}/checks/{matter}", 403, found="true")
