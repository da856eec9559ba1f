"""A check-in and a check-out are undone for a minute, by the login that did them and for nobody near it."""

import asyncio
from datetime import datetime
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.presence.test_counter import other_household
from tests.support.counter import kept, kept_scope
from tests.support.ledger_sums import problems_of
from tests.support.presence import card, count, later, nine_o_clock, nonce, personal_code, points_of, scanned
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.ledger.checking.check import check_ledger
from timebank.presence.forgotten import close_forgotten
from timebank.presence.scanning import scan_by_hand
from timebank.presence.schemas import ScanIn
from timebank.presence.undoing.acts import list_undone, undone_by_keeper
from timebank.presence.undoing.visits import OwnVisit, TooLateToUndo, undo_check_in, undo_check_out
from timebank.service_records.crediting.withdrawing import OutcomeDecided
from timebank.service_records.review import review_record
from timebank.service_records.schemas import ReviewIn
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

SECOND = 1 / 60


async def left(town: Town, begin: datetime, name: str = "张桂兰", minutes: float = 120) -> tuple[Scope, UUID]:
    """周敏 scans the person in at `begin` and out again; the keeper's scope and the visit's id."""
    keeper = await town.scope("周敏")
    with clock.at(begin):
        assert (await scanned(keeper, personal_code(town, name))).direction == "in"
    with later(begin, minutes):
        verdict = await scanned(keeper, personal_code(town, name))
    assert verdict.direction == "out", verdict
    assert verdict.visit is not None
    return keeper, verdict.visit.id


async def statuses(owner: asyncpg.Connection, visit_id: UUID) -> list[str]:
    rows = await owner.fetch("SELECT status FROM service_record WHERE visit_id = $1 ORDER BY created_at", visit_id)
    return [row["status"] for row in rows]


async def sound(town: Town, owner: asyncpg.Connection) -> None:
    """The books balance, by their own check and by a second one."""
    assert await problems_of(owner) == []
    assert (await check_ledger(town.system())).problems == []


async def test_an_undone_check_out_takes_record_and_credit_back_and_the_next_one_counts_by_itself(
    town: Town, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    assert await points_of(town, "张桂兰") == 20
    with later(begin, 120 + 50 * SECOND):
        for _ in range(2):
            await undo_check_out(keeper, visit)
        assert await points_of(town, "张桂兰") == 0
    row = await owner.fetchrow("SELECT status, out_at, out_by, out_by_login FROM visit WHERE id = $1", visit)
    assert row is not None
    assert tuple(row) == ("open", None, None, None)
    assert await statuses(owner, visit) == ["withdrawn"]
    await sound(town, owner)
    with later(begin, 180):
        verdict = await scanned(await town.scope("周敏"), personal_code(town, "张桂兰"))
    assert (verdict.direction, verdict.visit and verdict.visit.id) == ("out", visit)
    assert await points_of(town, "张桂兰") == 30
    assert await statuses(owner, visit) == ["withdrawn", "approved"]
    assert await owner.fetchval("SELECT minutes FROM service_record WHERE status = 'approved'") == 180
    assert await count(owner, "transfer", "kind = 'service' AND currency = 'minute'") == 2, (
        "each credit has its own key"
    )
    await sound(town, owner)


async def test_points_spent_within_the_minute_become_a_debt_that_the_next_check_out_repays(
    town: Town, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    station = town.stations["暖蜂驿站"]
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=station, quantity=1
    )  # fmt: skip
    with later(begin, 120 + 20 * SECOND):
        wanted = RedemptionIn(
            person_id=town.people["张桂兰"],
            good_id=town.goods["香皂"],
            station_id=town.stations["暖蜂驿站"],
            quantity=1,
        )
        await redeem(await town.scope("张桂兰"), wanted)
    with later(begin, 120 + 40 * SECOND):
        await undo_check_out(keeper, visit)
        assert await points_of(town, "张桂兰") == 0
    assert await owner.fetchval("SELECT sum(amount) FROM debt WHERE currency = 'point'") == 8
    with later(begin, 240):
        await scanned(await town.scope("周敏"), personal_code(town, "张桂兰"))
    assert await points_of(town, "张桂兰") == 32
    await sound(town, owner)


async def test_a_check_out_by_hand_that_waits_is_withdrawn_and_waits_no_more(
    town: Town, owner: asyncpg.Connection
) -> None:
    begin, keeper, station = nine_o_clock(), await town.scope("周敏"), town.stations["暖蜂驿站"]
    with clock.at(begin):
        await scanned(keeper, personal_code(town, "张桂兰"))
    visit = UUID(bytes=(await owner.fetchval("SELECT id FROM visit")).bytes)
    for minutes in (90, 100):
        with later(begin, minutes):
            await scan_by_hand(
                keeper, town.people["张桂兰"], ScanIn(code="hand", nonce=nonce(), station_id=station, direction="out")
            )
        assert await count(owner, "service_record", "status = 'pending'") == 1
        if minutes == 90:
            with later(begin, 90.5):
                await undo_check_out(keeper, visit)
            assert await count(owner, "service_record", "status = 'pending'") == 0
    assert await statuses(owner, visit) == ["withdrawn", "pending"]
    assert await count(owner, "message", "kind = 'checked_by_staff' AND sentence LIKE '%check_out'") == 2
    assert await points_of(town, "张桂兰") == 0


async def test_a_visit_too_short_to_count_is_open_again_too(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin, minutes=2)
    with later(begin, 2.5):
        await undo_check_out(keeper, visit)
    assert await owner.fetchval("SELECT status FROM visit WHERE id = $1", visit) == "open"


async def test_only_who_did_it_undoes_it_and_only_for_a_minute(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    refusals = (("赵丽", TooLateToUndo), ("张桂兰", Forbidden), ("陈明", Forbidden))
    with later(begin, 120.5):
        for name, refusal in refusals:
            with pytest.raises(refusal):
                await undo_check_out(await town.scope(name), visit)
        with pytest.raises(TooLateToUndo):
            await undo_check_in(keeper, visit)
        with pytest.raises(NotFound):
            await undo_check_out(keeper, clock.new_id())
    with later(begin, 120 + 61 * SECOND), pytest.raises(TooLateToUndo):
        await undo_check_out(keeper, visit)
    assert await points_of(town, "张桂兰") == 20
    assert await count(owner, "undone_act") == 0


async def test_only_who_did_it_undoes_a_check_in_and_only_for_a_minute(town: Town, owner: asyncpg.Connection) -> None:
    begin, keeper = nine_o_clock(), await town.scope("周敏")
    with clock.at(begin):
        verdict = await scanned(keeper, personal_code(town, "张桂兰"))
    assert verdict.visit is not None
    with later(begin, 0.5), pytest.raises(TooLateToUndo):
        await undo_check_in(await town.scope("赵丽"), verdict.visit.id)
    with later(begin, 61 * SECOND), pytest.raises(TooLateToUndo):
        await undo_check_in(keeper, verdict.visit.id)
    assert await count(owner, "visit", "status = 'open'") == 1
    with later(begin, 0.9):
        for _ in range(2):
            await undo_check_in(keeper, verdict.visit.id)
    assert await count(owner, "visit", "status = 'void'") == 1
    assert await count(owner, "undone_act", "kind = 'check_in'") == 1


async def test_nobody_undoes_what_concerns_the_own_household(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    await other_household(owner, town, "周敏", "张桂兰")
    with later(begin, 120.5):
        with pytest.raises(OwnVisit):
            await undo_check_out(await town.scope("周敏"), visit)
        with pytest.raises(OwnVisit):
            await undo_check_in(await town.scope("周敏"), visit)
    assert await points_of(town, "张桂兰") == 20
    assert await owner.fetchval("SELECT status FROM visit WHERE id = $1", visit) == "closed"
    assert keeper.login_id == town.logins["周敏"]


async def test_what_somebody_has_decided_is_not_undone(town: Town, owner: asyncpg.Connection) -> None:
    begin, keeper = nine_o_clock(), await town.scope("周敏")
    with clock.at(begin):
        await scanned(keeper, personal_code(town, "张桂兰"))
    with later(begin, 90):
        asked = ScanIn(code="hand", nonce=nonce(), station_id=town.stations["暖蜂驿站"])
        told = await scan_by_hand(keeper, town.people["张桂兰"], asked)
    assert told.visit is not None
    record = await owner.fetchval("SELECT id FROM service_record WHERE status = 'pending'")
    with later(begin, 90.3):
        await review_record(await town.scope("赵丽"), UUID(bytes=record.bytes), ReviewIn("approve"))
    with later(begin, 90.6), pytest.raises(OutcomeDecided):
        await undo_check_out(keeper, told.visit.id)
    assert await points_of(town, "张桂兰") == 15


async def test_a_person_who_has_come_again_is_not_in_twice(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    with later(begin, 120 + 30 * SECOND):
        assert (await scanned(keeper, personal_code(town, "张桂兰"), direction="in")).direction == "in"
    with later(begin, 120 + 40 * SECOND), pytest.raises(TooLateToUndo):
        await undo_check_out(keeper, visit)
    assert await count(owner, "visit", "status = 'open'") == 1


async def test_a_visit_that_was_opened_again_and_forgotten_is_never_credited_without_a_review(
    town: Town, owner: asyncpg.Connection
) -> None:
    """What a dishonest keeper could hope for: hours until closing time for somebody who has gone."""
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    with later(begin, 120.5):
        await undo_check_out(keeper, visit)
    with later(begin, 60 * 16):
        await close_forgotten(town.system())
    assert await statuses(owner, visit) == ["withdrawn", "pending"]
    assert await points_of(town, "张桂兰") == 0


async def test_undos_and_a_check_out_at_once_end_in_one_of_their_orders(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock()
    _, visit = await left(town, begin)
    admin, code = await town.scope("赵丽"), await card(town, owner, "张桂兰")
    scopes = [await town.scope("周敏") for _ in range(4)]
    station = town.stations["暖蜂驿站"]
    with later(begin, 120 + 45 * SECOND):
        answers = await asyncio.gather(
            *(undo_check_out(scope, visit) for scope in scopes),
            *(scanned(admin, code, station_id=station, direction="out") for _ in range(3)),
            return_exceptions=True,
        )
    said = [each.code for each in answers if isinstance(each, TimebankError)]
    assert set(said) <= {"too_late_to_undo"}, answers
    assert not [each for each in answers if isinstance(each, Exception) and not isinstance(each, TimebankError)], (
        answers
    )
    assert await count(owner, "undone_act") == 1
    live = await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'approved'")
    is_open = await owner.fetchval("SELECT status FROM visit WHERE id = $1", visit) == "open"
    assert (live, await points_of(town, "张桂兰")) == ((0, 0) if is_open else (1, 20))
    await sound(town, owner)


async def test_it_is_told_noted_and_listed_by_keeper(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(town, begin)
    with later(begin, 120.5):
        await undo_check_out(keeper, visit)
        [one] = (await list_undone(await town.scope("赵丽"))).items
        assert (one.kind, one.keeper, one.person, one.points) == ("check_out", "周敏", "张*", 20)
        assert [(each.keeper, each.undone) for each in await undone_by_keeper(await town.scope("赵丽"))] == [
            ("周敏", 1)
        ]
        shown = await (await browser(client, town, "赵丽")).see("/admin/presence/undone")
    assert "签退" in shown
    with pytest.raises(Forbidden):
        await list_undone(keeper)
    verbs = await owner.fetch("SELECT verb FROM audit WHERE verb IN ('undo_check_out', 'withdraw_record')")
    assert sorted(row["verb"] for row in verbs) == ["undo_check_out", "withdraw_record"]
    assert await count(owner, "message", "kind = 'check_out_undone'") == 1


async def test_the_counter_offers_it_for_a_minute_to_who_did_it(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        tablet = await kept(client, town)
        scope, code = await kept_scope(town, tablet.token), await card(town, owner, "张桂兰")
        await scanned(scope, code)
    with later(begin, 60):
        told = await scanned(scope, code)
        assert told.visit is not None
        address = f"/desk/check-outs/{told.visit.id}/undo"
        assert address in await tablet.see("/desk")
        other = await browser(client, town, "赵丽")
        assert address not in await other.see(f"/desk?station={town.stations['暖蜂驿站']}")
        again = nonce()
        back = [(await tablet.send(address, again)).headers["location"] for _ in range(2)]
        assert back[0] == back[1]
        assert "撤销了。" in await tablet.see(back[0])
        assert await count(owner, "undone_act") == 1
    with later(begin, 61 * SECOND + 60):
        assert address not in await tablet.see("/desk")
