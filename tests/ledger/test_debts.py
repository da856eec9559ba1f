"""Nobody escapes a debt: points that are freed repay it first, however they had been set aside."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.ledger.test_ledger_check import check
from tests.support.shop import API, key, points_of
from tests.support.town import Town
from timebank.core import clock
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.refusals import AlreadyReversed, LedgerKeyReused
from timebank.ledger.statement import balances
from timebank.shop.cancelling import expire_redemptions

Free = Callable[[], Awaitable[object]]


class Cheat:
    """A resident who sets points aside before the deed that earned them is reversed. Every request goes over HTTP."""

    def __init__(self, client: httpx.AsyncClient, town: Town, name: str) -> None:
        self.client, self.town, self.name = client, town, name

    async def send(self, method: str, path: str, name: str, **more: Any) -> Any:
        headers = await self.town.sign_in(name) | key()
        answer = await self.client.request(method, f"{API}{path}", headers=headers, **more)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text)
        return answer.json()

    async def reserve(self, good: str = "香皂", quantity: int = 3) -> Any:
        wish = {
            "person_id": str(self.town.people[self.name]), "good_id": str(self.town.goods[good]),
            "station_id": str(self.town.stations["暖蜂驿站"]), "quantity": quantity,
        }  # fmt: skip
        return await self.send("POST", "/redemptions", self.name, json=wish)

    async def is_reversed(self, deed: UUID) -> None:
        await self.send("POST", f"/deeds/{deed}/reversal", "吴昊", json={"reason": "重复登记"})

    async def owes(self) -> tuple[int, int]:
        state = await balances(self.town.system(), self.town.people[self.name], [])
        return state.points.available, state.owed


async def test_points_of_a_cancelled_reservation_repay_what_is_owed(town: Town, client: httpx.AsyncClient) -> None:
    """The points are reserved, the deed is reversed, the reservation is cancelled: no point becomes available."""
    cheat = Cheat(client, town, "李秀英")
    deed = await town.credit_deed("李秀英", 25)
    made = await cheat.reserve()
    await cheat.is_reversed(deed)
    assert await cheat.owes() == (0, 24)
    await cheat.send("DELETE", f"/redemptions/{made['id']}", "李秀英")
    assert await cheat.owes() == (0, 0)
    assert await points_of(town, "李秀英") == (0, 0)
    assert (await check(town)).problems == []


async def test_points_of_a_reservation_that_ran_out_repay_what_is_owed(town: Town, client: httpx.AsyncClient) -> None:
    cheat = Cheat(client, town, "李秀英")
    deed = await town.credit_deed("李秀英", 25)
    await cheat.reserve()
    await cheat.is_reversed(deed)
    with clock.at(clock.now() + timedelta(days=8)):
        assert await expire_redemptions(town.system()) == 1
        assert await cheat.owes() == (0, 0)
    assert (await check(town)).problems == []


async def test_points_of_goods_brought_back_repay_what_is_owed(town: Town, client: httpx.AsyncClient) -> None:
    cheat = Cheat(client, town, "李秀英")
    deed = await town.credit_deed("李秀英", 25)
    made = await cheat.reserve()
    await cheat.send("POST", f"/redemptions/{made['id']}/collection", "周敏", json={"code": made["code"]})
    await cheat.is_reversed(deed)
    assert await cheat.owes() == (0, 24)
    await cheat.send("POST", f"/redemptions/{made['id']}/return", "周敏", json={"reason": "香皂开裂了"})
    assert await cheat.owes() == (0, 0)
    assert (await check(town)).problems == []


async def test_points_of_class_hours_given_back_repay_what_is_owed(town: Town, client: httpx.AsyncClient) -> None:
    cheat = Cheat(client, town, "刘洋")
    deed = await town.credit_deed("刘洋", 20)
    family = {
        "person_id": str(town.people["刘洋"]), "child_id": str(town.people["刘小雨"]), "course_id": str(town.course),
    }  # fmt: skip
    await cheat.send("POST", "/class-hours", "刘洋", json=family | {"minutes": 60})
    await cheat.is_reversed(deed)
    assert await cheat.owes() == (0, 20)
    await cheat.send("POST", "/class-hours/refunds", "刘洋", json=family)
    assert await cheat.owes() == (0, 0)
    assert (await check(town)).problems == []


async def test_a_deed_credited_again_repays_what_its_reversal_left(town: Town, client: httpx.AsyncClient) -> None:
    cheat = Cheat(client, town, "李秀英")
    deed = await town.credit_deed("李秀英", 25)
    await cheat.reserve()
    await cheat.is_reversed(deed)
    await town.credit_deed("李秀英", 40)
    assert await cheat.owes() == (16, 0)


async def test_a_debt_is_repaid_by_a_void_out_of_several_last_days_once(town: Town, owner: asyncpg.Connection) -> None:
    """A hold took points with three last days. When it is voided, one part is past its grace, one is in its days of
    grace, one is still valid."""
    scope, li = town.system(), town.people["李秀英"]
    begun = datetime(2026, 11, 20, 4, tzinfo=UTC)
    with clock.at(begun):
        await town.credit_deed("李秀英", 10, expires_on=date(2026, 11, 25))
        await town.credit_deed("李秀英", 10, expires_on=date(2026, 12, 31))
        deed = await town.credit_deed("李秀英", 13, expires_on=date(2027, 12, 31))
        held = await posting.hold(
            scope, li, 33, Posting(kind="hold", key="h", source_kind="redemption", source_id=clock.new_id())
        )
        entry = await owner.fetchval("SELECT entry_id FROM deed WHERE id = $1", deed)
        reversal = await posting.reverse(
            scope, entry, Posting(kind="reversal", key="r", source_kind="deed", source_id=deed)
        )
    assert (reversal.taken, reversal.owed) == (0, 13)
    with clock.at(datetime(2027, 1, 8, 4, tzinfo=UTC)):
        back = (
            await posting.void(
                scope, held.entry_id, Posting(kind="void", key="v", source_kind="redemption", source_id=UUID(int=1))
            )
        ).returned
        state = await balances(scope, li, [])
    assert back.repaid == 13
    assert (back.usable, back.expired, state.points.available, state.owed) == (20, 0, 20, 0)
    assert await owner.fetchval("SELECT sum(balance) FROM account WHERE owner_id = $1", li) == 20


@pytest.mark.parametrize("minutes", [(45, 3), (41, 1, 6), (5, 1), (59, 59, 2)])
async def test_minutes_left_over_survive_the_reversal_of_the_hours_before_and_after(
    town: Town, minutes: tuple[int, ...]
) -> None:
    """In whichever order the hours are reversed, no minutes, points or debts are left."""
    scope, zhang = town.system(), town.people["张桂兰"]
    for order in (1, -1):
        entries = [
            await posting.earn(
                scope,
                zhang,
                m,
                6,
                Posting(kind="service", key=f"s{order}:{n}", source_kind="test", source_id=UUID(int=n)),
                expires_on=date(2027, 12, 31),
            )
            for n, m in enumerate(minutes)
        ]
        for n, earned in list(enumerate(entries))[::order]:
            await posting.reverse(
                scope,
                earned.entry_id,
                Posting(kind="reversal", key=f"r{order}:{n}", source_kind="test", source_id=UUID(int=n)),
            )
        state = await balances(scope, zhang, [])
        assert (state.points.available, state.minutes, state.owed) == (0, 0, 0), (order, minutes)


async def test_a_reversal_that_finds_nothing_left_is_still_one_request(town: Town, owner: asyncpg.Connection) -> None:
    """Such a reversal writes no transfer, so only the debt records its key: the same request is replayed, and the key
    with another entry is refused."""
    scope, li = town.system(), town.people["李秀英"]
    entries = []
    for _ in range(2):
        await town.credit_deed("李秀英", 10)
        entries.append(await owner.fetchval("SELECT entry_id FROM deed ORDER BY id DESC LIMIT 1"))
    await posting.spend(
        scope, li, 20, Posting(kind="donation", key="d", source_kind="donation", source_id=clock.new_id()), to="donated"
    )
    note = Posting(kind="reversal", key="r", source_kind="deed", source_id=UUID(int=1))
    first, again = [await posting.reverse(scope, entries[0], note) for _ in range(2)]
    assert (first.taken, first.owed, first.replayed) == (0, 10, False)
    assert (again.entry_id, again.taken, again.owed, again.replayed) == (first.entry_id, 0, 10, True)
    with pytest.raises(LedgerKeyReused):
        await posting.reverse(scope, entries[1], note)
    with pytest.raises(AlreadyReversed):
        await posting.reverse(
            scope, entries[0], Posting(kind="reversal", key="r2", source_kind="deed", source_id=UUID(int=1))
        )
    assert (await balances(scope, li, [])).owed == 10
