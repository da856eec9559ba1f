"""A unit's desk: its contact sees what was given to the unit wherever they serve it, and nothing else."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from tests.matters.pages import Pages
from tests.support.matters import CONTACT, FIRM, MORNING, POWER, Ground
from tests.support.pictures import picture
from tests.support.town import SPRING
from timebank.core import clock
from timebank.matters.loop.dispatching import dispatch
from timebank.matters.opening.opening import open_matter
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import DispatchIn, OpenIn
from timebank.policies.values import change_policy

DESK = "/unit"


@pytest.fixture
async def contact(ground: Ground, client: httpx.AsyncClient) -> Pages:
    return await Pages.of(client, ground.town, CONTACT)


async def given(ground: Ground, unit: str = FIRM, **wanted: object) -> str:
    """The address at the desk of a new report that was given to this unit."""
    matter = (await ground.open(**wanted)).id  # type: ignore[arg-type]  # each of its own type
    await ground.dispatch(matter, unit_id=ground.units[unit])
    return f"{DESK}/{ground.town.community}/{matter}"


async def in_spring(ground: Ground, unit: str = FIRM) -> str:
    """The same in the other community of the street."""
    community = ground.town.communities[SPRING]
    street = await ground.town.scope("钱进", community)
    await change_policy(street, "uses_matters", 1)
    area = next(id_ for name, id_ in ground.town.areas.items() if name.startswith(SPRING))
    body = msgspec.convert({"kind": "event", "category": "manhole", "area_id": area, "said": "井盖响"}, OpenIn)
    street = await ground.town.scope("钱进", community)
    matter = (await open_matter(street, body)).id
    await dispatch(street, matter, DispatchIn(unit_id=ground.units[unit]))
    return f"{DESK}/{community}/{matter}"


async def test_a_contact_lands_at_the_desk_and_sees_the_units_matters_of_every_community(
    ground: Ground, contact: Pages
) -> None:
    landed = await contact.client.get("/work", headers=contact.headers)
    assert landed.headers["location"] == DESK
    assert "现在没有派给你们的事" in await contact.get(DESK)
    here, there = await given(ground), await in_spring(ground)
    page = await contact.get(DESK)
    assert page.index(there) < page.index(here), "by due date"
    assert SPRING in page
    assert "井盖响" in await contact.get(there)
    await contact.post(f"{there}/take")
    assert "处理中" in await contact.get(there)
    with clock.at(MORNING + timedelta(days=4)):
        assert "超期" in await contact.get(DESK)


async def test_a_contact_takes_asks_finishes_with_a_picture_and_returns(ground: Ground, contact: Pages) -> None:
    at = await given(ground)
    matter = UUID(at.rpartition("/")[2])
    await contact.post(f"{at}/ask", text="几楼？")
    await contact.post(f"{at}/take")
    assert "办好了？" in await contact.get(at)
    await contact.post(f"{at}/finish", photo=picture((300, 200), "PNG"), result="换好了")
    shown = await contact.get(at)
    found = await find_matter(await ground.town.scope("赵丽"), matter)
    assert (found.status, found.unit) == ("done", FIRM)
    photo = f"{DESK}/{ground.town.community}/photos/{found.photos[0].photo_id}"
    assert f'<img src="{photo}" alt="办好以后"' in shown
    assert f'href="{photo}"' not in shown, "it is seen here, not on a page of nothing but the picture"
    seen = await contact.client.get(photo, headers=contact.headers)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/webp")
    assert "全部" in await contact.get(f"{DESK}?every=1")
    other = await given(ground, said="二楼也不亮")
    assert "请写明原因" in await contact.refused(f"{other}/return", 422)
    sent = await contact.post(f"{other}/return", reason="不是我们的线路", suggestion=POWER)
    assert sent.headers["location"] == DESK
    await contact.get(other, 404)


async def test_a_contact_sees_nothing_else(
    ground: Ground, contact: Pages, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    foreign = await given(ground, POWER)
    await contact.get(foreign, 404)
    for act in ("take", "return", "finish", "explode"):
        await contact.post(f"{foreign}/{act}", 404)
    undispatched = (await ground.open()).id
    await contact.get(f"{DESK}/{ground.town.community}/{undispatched}", 404)
    assert foreign not in await contact.get(DESK)
    matter = UUID(foreign.rpartition("/")[2])
    for path in (
        "/admin", "/admin/inbox", "/admin/matters", f"/admin/matters/{matter}", "/admin/people", "/admin/ledger",
        f"/admin/people/{ground.town.people['张桂兰']}", "/admin/figures/matters", "/worker", "/desk",
    ):  # fmt: skip
        status = (await contact.client.get(path, headers=contact.headers)).status_code
        assert status in (403, 404), path
    own = await given(ground)
    assert "张桂兰" not in await contact.get(own), "the name, before it is taken"
    await contact.post(f"{own}/dispatch", 403, to=f"unit:{ground.units[POWER]}")
    await contact.post(f"{own}/confirm", 403, verified="true")
    await contact.post(f"{own}/refuse", 403, because="cannot", note="不行")
    await contact.post(f"{own}/publish", 403, public_text="修好了")
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role = 'unit_contact'")
    gone = await Pages.of(client, ground.town, CONTACT)
    await gone.get(own, 404)
    await gone.get(DESK, 404)


@pytest.mark.parametrize("name", ["张桂兰", "陈明", "赵丽", "周敏"])
async def test_the_desk_is_for_contacts(ground: Ground, client: httpx.AsyncClient, name: str) -> None:
    at = await given(ground)
    pages = await Pages.of(client, ground.town, name)
    await pages.get(DESK, 403)
    await pages.get(at, 403)
    await pages.post(f"{at}/take", 403)
