"""Categories of matters: added, renamed, closed; what they loosen waits for a second person."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from tests.matters.pages import Pages
from tests.support.matters import GRID_HEAD, Ground
from tests.support.shop import API
from timebank.agreements.proposing import AlreadyWaiting
from timebank.agreements.schemas import Waiting
from timebank.core import clock
from timebank.core.errors import Forbidden, TimebankError
from timebank.matters.categories.categories import (
    CategoryNameTaken,
    CategoryOut,
    find_category,
    list_categories,
    put_category,
)
from timebank.matters.categories.loosening import Terms, is_looser_category
from timebank.matters.opening.openers import CategoryNotForThis
from timebank.matters.schemas import CategoryIn, MatterKind
from timebank.overview.agreements import decide_change

PANEL = "/admin/matters/categories"
REPORTS: frozenset[MatterKind] = frozenset({"report", "event"})
STANDS = Terms(
    kinds=REPORTS, due_days=3, due_counts="day", minutes_max=None, activity_id=None, needs_photo=False
)  # fmt: skip
ORDERS = replace(STANDS, kinds=REPORTS | {"order"}, minutes_max=60)
WISHES = replace(STANDS, kinds=frozenset({"wish"}), due_days=30)
LONGEST: Mapping[MatterKind, int] = {"report": 10, "event": 10, "order": 5, "wish": 30}
WORKDAYS = replace(STANDS, due_days=5, due_counts="workday")
OTHER = clock.new_id()
LIGHT = CategoryIn(name="路灯", kinds=["report", "event"], due_days=2)


@pytest.mark.parametrize(
    ("before", "wanted", "looser"),
    [
        (STANDS, STANDS, False),
        (STANDS, replace(STANDS, due_days=4), True),
        (STANDS, replace(STANDS, due_days=1), False),
        (STANDS, replace(STANDS, due_counts="workday"), True),
        (STANDS, replace(STANDS, due_days=1, due_counts="workday"), False),
        (WORKDAYS, replace(WORKDAYS, due_days=7, due_counts="day"), False),
        (WORKDAYS, replace(WORKDAYS, due_days=8, due_counts="day"), True),
        (replace(STANDS, needs_photo=True), STANDS, True),
        (STANDS, replace(STANDS, needs_photo=True), False),
        (STANDS, ORDERS, True),
        (ORDERS, STANDS, False),
        (ORDERS, replace(ORDERS, minutes_max=61), True),
        (ORDERS, replace(ORDERS, minutes_max=None), True),
        (ORDERS, replace(ORDERS, minutes_max=30), False),
        (replace(ORDERS, minutes_max=None), ORDERS, False),
        (ORDERS, replace(ORDERS, activity_id=OTHER), True),
        (replace(ORDERS, activity_id=OTHER), ORDERS, True),
        (STANDS, replace(STANDS, minutes_max=900, activity_id=OTHER), False),
        (None, STANDS, False),
        (None, replace(STANDS, due_days=11), True),
        (None, ORDERS, True),
        (WISHES, replace(WISHES, kinds=WISHES.kinds | {"report"}), True),
        (None, replace(WISHES, kinds=WISHES.kinds | {"report"}), True),
        (replace(STANDS, kinds=frozenset({"report"})), STANDS, False),
        (None, replace(STANDS, kinds=frozenset({"pledge"})), True),
    ],
)
def test_what_is_looser(before: Terms | None, wanted: Terms, looser: bool) -> None:
    assert is_looser_category(before, wanted, LONGEST) is looser


async def put(ground: Ground, by: str = "赵丽", code: str = "street_light", **changed: Any) -> CategoryOut | Waiting:
    return await put_category(await ground.scope(by), code, replace(LIGHT, **changed))


async def days_of(ground: Ground, code: str = "street_light") -> int:
    return (await find_category(await ground.scope("赵丽"), code)).due_days


async def test_a_longer_term_waits_for_somebody_above(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    waits = await put(ground, due_days=9, advice="写清第几盏")
    assert isinstance(waits, Waiting)
    assert await put(ground, due_days=9, advice="写清第几盏") == waits, "the same again is the same"
    with pytest.raises(AlreadyWaiting):
        await put(ground, due_days=10)
    assert await days_of(ground) == 2, "nothing of it is in force"
    for name in ("赵丽", GRID_HEAD, "孙伟"):
        with pytest.raises(TimebankError):
            await decide_change(await ground.scope(name), waits.waiting, "agree", "同意")
    assert await days_of(ground) == 2
    await decide_change(await ground.scope("钱进"), waits.waiting, "agree", "路灯要等配件")
    changed = await find_category(await ground.scope("赵丽"), "street_light")
    assert (changed.due_days, changed.advice) == (9, "写清第几盏")


async def test_a_shorter_term_is_in_force_at_once(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    changed = await put(ground, due_days=1, needs_photo=True, urgent=True)
    assert isinstance(changed, CategoryOut)
    assert await days_of(ground) == 1


async def test_what_has_changed_meanwhile_is_not_agreed_to_unseen(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    waits = await put(ground, due_days=9)
    assert isinstance(waits, Waiting)
    await put(ground, due_days=1)
    with pytest.raises(TimebankError):
        await decide_change(await ground.scope("钱进"), waits.waiting, "agree", "同意")
    assert await days_of(ground) == 1


async def test_a_category_that_was_renamed_or_closed_meanwhile_is_looked_at_again(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    waits = await put(ground, due_days=9)
    assert isinstance(waits, Waiting)
    assert isinstance(await put(ground, name="路灯和楼道灯", active=False), CategoryOut)
    with pytest.raises(TimebankError):
        await decide_change(await ground.scope("钱进"), waits.waiting, "agree", "同意")
    stands = await find_category(await ground.scope("赵丽"), "street_light")
    assert (stands.name, stands.active, stands.due_days) == ("路灯和楼道灯", False, 2)


async def test_another_proposal_of_the_same_days_is_not_taken_for_the_first(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    await put(ground, due_days=9)
    with pytest.raises(AlreadyWaiting):
        await put(ground, due_days=9, unit_id=ground.units["清江物业"])


async def test_the_second_person_reads_whether_orders_earn_and_by_which_activity(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    await put(ground, kinds=["report", "event", "order"])
    street = await Pages.of(client, ground.town, "钱进")
    page = await street.get("/admin/agreements")
    assert "可以点单" in page
    assert "时长记到哪项活动：没有固定的" in page


async def test_nobody_makes_a_category_by_which_orders_earn_alone(ground: Ground) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    waits = await put(ground, code="rich", name="陪聊", kinds=["order"], minutes_max=None)
    assert isinstance(waits, Waiting)
    assert isinstance(await put(ground, code="plain", name="陪聊二", kinds=["report"]), CategoryOut)
    second = await put(ground, code="plain", name="陪聊二", kinds=["report", "order"])
    assert isinstance(second, Waiting), "nor in two steps"


async def test_before_the_first_credit_somebody_above_sees_it_afterwards(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    assert isinstance(await put(ground, due_days=9), CategoryOut)
    listed = await owner.fetch("SELECT kind, subject FROM waiting_change WHERE status = 'waiting'")
    assert [(each["kind"], each["subject"]) for each in listed if each["kind"] == "category_before"] == [
        ("category_before", "street_light")
    ]


async def test_two_proposals_at_once_are_one(ground: Ground, owner: asyncpg.Connection) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    found = await asyncio.gather(*(put(ground, due_days=days) for days in (8, 9, 8, 9)), return_exceptions=True)
    assert all(isinstance(one, Waiting | TimebankError) for one in found), found
    waiting = "SELECT count(*) FROM waiting_change WHERE kind = 'looser_category' AND status = 'waiting'"
    assert await owner.fetchval(waiting) == 1


async def test_over_http_it_waits_with_202(ground: Ground, client: httpx.AsyncClient) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    by = await ground.town.sign_in("赵丽")
    body = {"name": "路灯", "kinds": ["report"], "due_days": 20}
    waits = await client.put(f"{API}/matter-categories/street_light", json=body, headers=by)
    assert waits.status_code == 202, waits.text
    done = await client.put(f"{API}/matter-categories/street_light", json=body | {"due_days": 1}, headers=by)
    assert (done.status_code, done.json()["due_days"]) == (200, 1)


async def test_the_panel_adds_renames_and_closes(ground: Ground, client: httpx.AsyncClient) -> None:
    await ground.town.credit_deed("张桂兰", 2)
    panel = await Pages.of(client, ground.town, "赵丽")
    assert f"{PANEL}/new" in await panel.get(PANEL)
    assert "用在哪些事项" in await panel.get(f"{PANEL}/new")
    sent: dict[str, Any] = {
        "name": "健身器材",
        "due_days": 3,
        "due_counts": "day",
        "level": "grid",
        "active": "true",
        "public": "true",
    }
    assert "至少选一种" in await panel.refused(PANEL, 422, **sent)
    assert "同名" in await panel.refused(PANEL, 409, **sent | {"name": "路灯", "kind_report": "true"})
    await panel.post(PANEL, **sent, kind_report="true", kind_event="true")
    admin = await ground.scope("赵丽")
    [made] = [one for one in await list_categories(admin) if one.name == "健身器材"]
    assert made.kinds == ["report", "event"]
    await ground.open(category=made.code)
    at = f"{PANEL}/{made.code}"
    waits = await panel.post(at, **sent | {"due_days": 30}, kind_report="true", kind_event="true")
    assert waits.headers["location"].startswith("/admin/agreements")
    assert "健身器材" in await panel.get("/admin/agreements")
    await panel.post(at, **sent | {"name": "健身设施"}, kind_report="true", kind_event="true")
    closed = sent | {"name": "健身设施"}
    del closed["active"]
    await panel.post(at, **closed, kind_report="true", kind_event="true")
    assert (await find_category(admin, made.code)).active is False
    assert "健身设施" in await panel.get(PANEL)
    with pytest.raises(CategoryNotForThis):
        await ground.open("李秀英", category=made.code)


async def test_only_administrators_and_each_name_once(ground: Ground, client: httpx.AsyncClient) -> None:
    for name in (GRID_HEAD, "孙伟", "张桂兰"):
        with pytest.raises(Forbidden):
            await put(ground, by=name)
    await ground.town.credit_deed("张桂兰", 2)
    with pytest.raises(CategoryNameTaken):
        await put(ground, code="lamp", kinds=["order"])
    auditor = await Pages.of(client, ground.town, "孙伟")
    await auditor.get(f"{PANEL}/street_light")
    await auditor.get(f"{PANEL}/new", 403)
