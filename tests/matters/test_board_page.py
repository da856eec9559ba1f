"""The public board of matters: figures with targets, published orders, open wishes, and no name."""

from datetime import timedelta

import httpx

from tests.support.matters import MORNING, Ground
from tests.support.pictures import kept_by
from tests.support.shop import browser
from timebank.core import clock
from timebank.matters.figures.counting import count_matters
from timebank.matters.loop import showing
from timebank.matters.schemas import PublishIn


async def test_everybody_reads_the_figures_of_the_month_with_their_targets(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    matter = await ground.done()
    await ground.rate(matter)
    await ground.open()
    address = f"/board/{ground.town.community}/matters"
    with clock.at(MORNING + timedelta(days=5)):
        await count_matters(ground.town.system())
        shown = (await client.get(address)).text
    assert "本月收到 2 件" in shown
    assert "目标 50%，2 件里办了 1 件" in shown
    assert "1 人回答，1 人说解决了" in shown
    assert "张桂兰" not in shown
    with clock.at(MORNING + timedelta(days=5)):
        told = (await client.get(f"/api/v1/board/figures?community_id={ground.town.community}")).json()
    assert (told["received"], told["answered"], told["solved"]) == (2, 1, 1)
    assert told["done0"] == {"done": 1, "of": 2, "percent": 50, "target": 50}


async def test_only_what_is_published_hangs_there_and_pictures_are_for_residents(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    photo = await kept_by(ground.town, "张桂兰")
    order = (await ground.open(kind="order", category="repair", photo_ids=[str(photo)])).id
    wish = (await ground.open(kind="wish", category="wish", said="台灯", value_max=90)).id
    address = f"/board/{ground.town.community}/matters"
    admin = await ground.town.scope("赵丽")
    await ground.dispatch(order, by="赵丽", team_id=ground.team, open_to="team")
    await ground.dispatch(wish, by="赵丽", open_to="all")
    before = (await client.get(address)).text
    assert "还没有晒出来的" in before
    assert "90 元以内" not in before
    await showing.publish(admin, order, PublishIn(public_text="师傅来换了灯", attachment_ids=[photo], cleared=True))
    await showing.publish(admin, wish, PublishIn(public_text="想要一盏台灯"))
    visitor = (await client.get(address)).text
    assert "师傅来换了灯" in visitor
    assert "想要一盏台灯" in visitor
    assert f"/photos/{photo}" not in visitor
    told = (await client.get(f"/api/v1/board/matters?community_id={ground.town.community}")).json()
    assert [each["public_text"] for each in told["orders"]] == ["师傅来换了灯"]
    assert [each["value_max"] for each in told["wishes"]] == [90]
    who = await browser(client, ground.town, "李秀英")
    assert f"/api/v1/photos/{photo}" in await who.see(address)
    answer = await client.get(f"/api/v1/photos/{photo}", headers=who.headers)
    assert answer.status_code == 200


async def test_a_community_that_does_not_use_matters_has_no_such_board(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    elsewhere = next(id_ for name, id_ in ground.town.communities.items() if id_ != ground.town.community)
    for address in (f"/board/{elsewhere}/matters", f"/api/v1/board/figures?community_id={elsewhere}"):
        assert (await client.get(address)).status_code == 404
    assert "/matters" not in (await client.get(f"/board/{elsewhere}")).text
    assert f"/board/{ground.town.community}/matters" in (await client.get(f"/board/{ground.town.community}")).text
