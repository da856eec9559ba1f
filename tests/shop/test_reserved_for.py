"""An administrator reserves a good for a resident: who may, who is told, and to whom it is handed over."""

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.presence.test_counter import make_keeper
from tests.support.counter import kept, stands_here
from tests.support.messages import texts
from tests.support.presence import card, nonce, station_code
from tests.support.shop import API, books_balance, key, points_of, stock_of, wish
from tests.support.town import Town
from timebank.cards.cards import card_of, issue_card
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn
from timebank.shop import cancelling, collection, redemption
from timebank.shop.schemas import Redeemed, RedemptionIn

WHY = "老人住院，女儿来电话请我们先留一份"


def wanted(town: Town, name: str = "张桂兰", good: str = "香皂") -> RedemptionIn:
    return RedemptionIn(
        person_id=town.people[name], good_id=town.goods[good], station_id=town.stations["暖蜂驿站"], reason=WHY
    )


async def kept_for(town: Town, name: str = "张桂兰", by: str = "赵丽") -> UUID:
    """What an administrator has reserved for this resident."""
    await town.give_points(name, 50)
    return (await redemption.redeem(await town.scope(by), wanted(town, name))).id


async def code_of(owner: asyncpg.Connection, redemption_id: UUID) -> str:
    """The code that the person reads on the own phone."""
    found: str = await owner.fetchval("SELECT code FROM pickup WHERE noun_id = $1", redemption_id)
    return found


async def refused(town: Town, by: str, redemption_id: UUID, code: str | None, presence: str | None = None) -> str:
    with pytest.raises(TimebankError) as met:
        await collection.collect(await town.scope(by), redemption_id, code, presence)
    return met.value.code


async def test_it_is_held_with_the_persons_points_and_only_the_person_reads_the_code(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    headers = await town.sign_in("赵丽") | key()
    sent = wish(town, "张桂兰", "香皂", 2, reason=WHY)
    first = await client.post(f"{API}/redemptions", json=sent, headers=headers)
    again = await client.post(f"{API}/redemptions", json=sent, headers=headers)
    assert (first.status_code, again.content, again.headers["idempotent-replayed"]) == (201, first.content, "true")
    made = first.json()
    assert (made["status"], made["code"], made["points"]) == ("reserved", None, 16)
    assert await points_of(town, "张桂兰") == (34, 16)
    assert await stock_of(owner, town, "香皂") == 48
    own = await client.get(f"{API}/redemptions/{made['id']}", headers=await town.sign_in("张桂兰"))
    assert (own.json()["code"], own.json()["reason"]) == (await code_of(owner, UUID(made["id"])), WHY)
    for staff in ("赵丽", "周敏", "孙伟"):
        seen = await client.get(f"{API}/redemptions/{made['id']}", headers=await town.sign_in(staff))
        assert seen.json()["code"] is None, staff


async def test_the_person_and_the_household_are_told_and_the_audit_has_who_and_why(
    town: Town, owner: asyncpg.Connection
) -> None:
    made = await kept_for(town)
    for name in ("张桂兰", "张国庆"):
        (told,) = await texts(owner, "kind = 'reserved_for' AND person_id = $1", town.people[name])
        for word in ("张*", "香皂 1 块", WHY):
            assert word in told, told
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'reserved_for'") == 2
    (row,) = await owner.fetch("SELECT person_id, login_id, reason FROM audit WHERE verb = 'reserve_for'")
    assert tuple(row) == (town.people["赵丽"], town.logins["赵丽"], WHY)
    (kept_row,) = await owner.fetch("SELECT reserved_by, reserved_by_login, reserved_because FROM redemption")
    assert tuple(kept_row) == (town.people["赵丽"], town.logins["赵丽"], WHY)
    await cancelling.cancel(await town.scope("张桂兰"), made)
    assert await points_of(town, "张桂兰") == (50, 0), "the person may take it back alone"


async def test_nobody_does_it_for_themselves_their_household_a_child_in_their_care_or_an_account_they_opened(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
        "VALUES ($1, $2, $3, $4, '姨', now())",
        town.community, clock.new_id(), town.people["赵丽"], town.people["刘小雨"],
    )  # fmt: skip
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["赵丽"], town.people["李秀英"]
    )
    admin = await town.sign_in("赵丽")
    given = await client.post(f"{API}/people/{town.people['王建国']}/sign-in-code", headers=admin)
    opened = await client.post(f"{API}/sessions", json={"phone": town.phones["王建国"], "otp": given.json()["code"]})
    assert opened.status_code == 201, opened.text
    for name in ("赵丽", "李秀英", "刘小雨", "王建国"):
        await town.give_points(name, 50)
        answer = await client.post(
            f"{API}/redemptions", json=wish(town, name, "香皂", reason=WHY), headers=admin | key()
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "not_independent"), name
        assert await points_of(town, name) == (50, 0)


async def test_only_an_administrator_does_it_and_with_a_reason(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    for name in ("张桂兰", "张国庆", "王建国", "周敏", "孙伟", "陈明"):
        answer = await client.post(
            f"{API}/redemptions",
            json=wish(town, "张桂兰", "香皂", reason=WHY),
            headers=await town.sign_in(name) | key(),
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), name
    admin = await town.sign_in("赵丽") | key()
    answers = [
        (await client.post(f"{API}/redemptions", json=wish(town, *sent, **more), headers=admin)).status_code
        for sent, more in (
            (("张桂兰", "香皂"), {}),
            (("张桂兰", "香皂"), {"reason": ""}),
            (("张桂兰", "香皂"), {"reason": WHY, "collect_now": True}),
            (("马涛", "香皂"), {"reason": WHY}),
        )
    ]
    assert answers == [403, 400, 400, 404]
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_the_limits_the_rest_and_the_points_of_the_person_apply(town: Town, owner: asyncpg.Connection) -> None:
    admin = await town.scope("赵丽")
    with pytest.raises(TimebankError) as poor:
        await redemption.redeem(admin, wanted(town))
    assert poor.value.code == "insufficient_points"
    await town.give_points("张桂兰", 500)
    await redemption.redeem(admin, wanted(town, good="食用油 5L"))
    with pytest.raises(TimebankError) as twice:
        await redemption.redeem(admin, wanted(town, good="食用油 5L"))
    assert twice.value.code == "monthly_limit_reached"
    await owner.execute(
        "INSERT INTO spending_rest (community_id, id, person_id, cause, since, until) "
        "VALUES ($1, $2, $3, 'code', now(), now() + interval '1 day')",
        town.community, clock.new_id(), town.people["张桂兰"],
    )  # fmt: skip
    with pytest.raises(TimebankError) as rests:
        await redemption.redeem(admin, wanted(town))
    assert rests.value.code == "spending_rests"


async def test_it_is_handed_over_for_the_persons_own_card_or_code_by_somebody_else(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper = await town.scope("周敏")
    by_code, by_phone, by_card = [await kept_for(town) for _ in range(3)]
    await collection.collect(keeper, by_code, await code_of(owner, by_code))
    await collection.collect(keeper, by_phone, None, await stands_here(keeper, town, "张桂兰"))
    asked = ScanIn(
        code=await card(town, owner, "张桂兰"), nonce=nonce(), station_id=town.stations["暖蜂驿站"], purpose="look"
    )
    assert (await scan(keeper, asked)).status == "ok"
    await collection.collect(keeper, by_card, None, asked.nonce)
    assert await owner.fetchval("SELECT count(*) FROM redemption WHERE status = 'collected'") == 3
    await books_balance(owner)


async def test_who_reserved_it_does_not_hand_it_over_even_with_the_code(town: Town, owner: asyncpg.Connection) -> None:
    made = await kept_for(town)
    assert await refused(town, "赵丽", made, await code_of(owner, made)) == "same_hand"
    seen = await stands_here(await town.scope("赵丽"), town, "张桂兰")
    assert await refused(town, "赵丽", made, None, seen) == "same_hand"
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["赵丽"], town.people["周敏"]
    )
    assert await refused(town, "周敏", made, await code_of(owner, made)) == "same_hand", "nor the household of who did"
    assert await points_of(town, "张桂兰") == (42, 8)


async def test_a_name_a_scan_of_the_wall_and_a_card_of_who_reserved_it_are_not_enough(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    made = await kept_for(town)
    counter = await kept(client, town)
    asked = await counter.ask("POST", f"/redemptions/{made}/confirmation", 422, headers=key())
    assert asked.json()["code"] == "own_code_needed"
    wall = ScanIn(code=station_code(town), nonce=nonce(), activity_id=town.activities["站点值守"])
    assert (await scan(await town.scope("张桂兰"), wall)).status == "ok"
    assert await refused(town, "周敏", made, None, wall.nonce) == "own_code_needed"
    admin = await town.scope("赵丽")
    await issue_card(admin, town.people["张桂兰"])
    printed = (await card_of(admin, town.people["张桂兰"])).url
    asked_for = ScanIn(code=printed, nonce=nonce(), station_id=town.stations["暖蜂驿站"], purpose="look")
    assert (await scan(await town.scope("周敏"), asked_for)).status == "ok"
    assert await refused(town, "周敏", made, None, asked_for.nonce) == "same_hand"
    assert await points_of(town, "张桂兰") == (42, 8)


async def test_a_request_from_before_is_not_agreed_to_without_the_code(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A confirmation of the own household names no code, so it carries out nothing that staff have reserved."""
    await make_keeper(owner, town, "张国庆")
    await town.give_points("张桂兰", 50)
    own = await redemption.redeem(
        await town.scope("张桂兰"),
        RedemptionIn(person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]),
    )
    counter = await kept(client, town, "张国庆")
    asked = await counter.ask("POST", f"/redemptions/{own.id}/confirmation", 201, headers=key())
    await owner.execute(
        "UPDATE redemption SET reserved_by = $1, reserved_by_login = $2, reserved_because = '代办' WHERE id = $3",
        town.people["赵丽"], town.logins["赵丽"], own.id,
    )  # fmt: skip
    answer = await client.post(
        f"{API}/counter/confirmations/{asked.json()['id']}/decision", json={"decision": "agree"},
        headers=await town.sign_in("钱进") | key(),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (422, "own_code_needed")


async def test_administrators_and_the_person_at_once_take_the_last_one_and_the_points_once(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 130)
    for_her = wanted(town, good="食用油 5L")
    by_herself = RedemptionIn(person_id=for_her.person_id, good_id=for_her.good_id, station_id=for_her.station_id)
    mine, admin, street = [await town.scope(name) for name in ("张桂兰", "赵丽", "钱进")]
    answers = await asyncio.gather(
        *(redemption.redeem(mine, by_herself) for _ in range(5)),
        *(redemption.redeem(admin, for_her) for _ in range(5)),
        *(redemption.redeem(street, for_her) for _ in range(5)),
        return_exceptions=True,
    )
    ended = Counter("reserved" if isinstance(one, Redeemed) else getattr(one, "code", one) for one in answers)
    assert ended == {"reserved": 1, "monthly_limit_reached": 14}
    assert await points_of(town, "张桂兰") == (10, 120)
    assert await stock_of(owner, town, "食用油 5L") == 4
    await books_balance(owner)


async def test_the_database_lets_nobody_write_it_under_another_name_or_hand_it_to_oneself(
    town: Town, owner: asyncpg.Connection
) -> None:
    made = await kept_for(town)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "UPDATE redemption SET status = 'collected', ended_at = now(), ended_by = reserved_by, "
            "settled_entry_id = entry_id WHERE id = $1",
            made,
        )
    assert not await owner.fetchval(
        "SELECT has_column_privilege('timebank_app', 'redemption', 'reserved_by', 'UPDATE')"
    )
