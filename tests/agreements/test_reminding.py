"""Those who may act as second person are named in the lists, notified at once, and reminded while something waits."""

from datetime import timedelta

import asyncpg
import httpx

from tests.support.counter import API, kept
from tests.support.messages import messages_of
from tests.support.shop import key, reserve
from tests.support.town import SPRING, Town
from timebank.cards.cards import issue_card
from timebank.core import clock
from timebank.core.scope import Scope
from timebank.http.callers import SESSION_COOKIE
from timebank.overview.reminding import remind_deciders
from timebank.shop.confirmations.listing import list_confirmations, notify_second_persons

ADMINS = ["社区管理员赵丽（凤凰社区）", "街道管理员钱进（城关街道）", "县管理员吴昊（清江县）"]


async def told(town: Town, name: str, kind: str) -> list[str]:
    return [m.text for m in await messages_of(town, name) if m.kind == kind]


async def asks_to_spend(client: httpx.AsyncClient, town: Town, name: str = "王建国") -> str:
    counter = await kept(client, town)
    wanted = {
        "person_id": str(town.people[name]), "good_id": str(town.goods["香皂"]),
        "station_id": str(town.stations["暖蜂驿站"]),
    }  # fmt: skip
    made = await counter.ask("POST", "/counter/confirmations", 201, json=wanted, headers=key())
    return str(made.json()["id"])


async def test_who_may_agree_at_the_counter_is_named_and_told_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 40)
    asked = await asks_to_spend(client, town)
    [waits] = (await list_confirmations(await town.scope("赵丽"))).items
    assert (str(waits.id), waits.who, waits.may_decide) == (asked, ADMINS, True)
    [text] = await told(town, "赵丽", "confirmation_waits")
    assert "暖蜂驿站的柜台请您今天决定：王*领取香皂 1 块" in text
    assert await told(town, "周敏", "confirmation_waits") == [], "who asked is no second person"
    for _ in range(2):
        await notify_second_persons(town.system())
        assert len(await told(town, "赵丽", "confirmation_waits")) == 1
    home = await client.get("/admin", headers=await _page(town, "赵丽"))
    assert "有人在柜台等着" in home.text


async def _page(town: Town, name: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION_COOKIE}={await town.token(name)}"}


async def test_what_a_keeper_asks_for_the_own_household_is_for_administrators_alone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, '2025-01-01', now())",
        town.community, clock.new_id(), town.people["陈明"], town.stations["暖蜂驿站"],
    )  # fmt: skip
    await town.give_points("周敏", 40)
    await town.give_points("王建国", 40)
    made = (await reserve(client, town, "周敏", "香皂")).json()
    counter = await kept(client, town)
    await counter.ask("POST", f"/redemptions/{made['id']}/confirmation", 201)
    [own] = (await list_confirmations(await town.scope("赵丽"))).items
    assert own.who == ADMINS
    await asks_to_spend(client, town)
    both = (await list_confirmations(await town.scope("赵丽"))).items
    other = next(each for each in both if each.id != own.id)
    assert other.who == [*ADMINS, "站长陈明（暖蜂驿站）"]


async def test_what_nobody_agreed_to_yesterday_is_asked_anew_today(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("王建国", 40)
    first = await asks_to_spend(client, town)
    with clock.at(clock.now() + timedelta(days=1)):
        again = await asks_to_spend(client, town)
        assert again != first
        assert [str(each.id) for each in (await list_confirmations(await town.scope("赵丽"))).items] == [again]


async def test_cards_are_told_to_the_nearest_who_did_not_issue_them_once_a_day(
    town: Town, owner: asyncpg.Connection
) -> None:
    await issue_card(await town.scope("周敏"), town.people["王建国"])
    for _ in range(2):
        await remind_deciders(town.system())
    assert await told(town, "赵丽", "cards_wait") == [
        "凤凰社区有 1 张新卡等您核对。请在管理页面的「到站核对」里点一下。"
    ]
    assert await told(town, "钱进", "cards_wait") == [], "the street is asked where the community has nobody"
    with clock.at(clock.now() + timedelta(days=1)):
        await remind_deciders(town.system())
    assert len(await told(town, "赵丽", "cards_wait")) == 2


async def test_the_card_that_the_only_administrator_issued_is_told_to_the_street(town: Town) -> None:
    await issue_card(await town.scope("何静"), town.people["马涛"])
    await remind_deciders(Scope.of_system(town.communities[SPRING]))
    assert await told(town, "何静", "cards_wait") == []
    assert len(await told(town, "钱进", "cards_wait")) == 1


async def test_a_second_change_of_the_same_day_is_told_too(town: Town, client: httpx.AsyncClient) -> None:
    await town.credit_deed("马涛", 10)
    spring, headers = Scope.of_system(town.communities[SPRING]), await town.sign_in("何静")
    for name, value in (("notice_days", 3), ("review_over_minutes", 780)):
        answer = await client.put(f"{API}/policies/{name}", headers=headers, json={"value": value})
        assert answer.status_code == 202
        await remind_deciders(spring)
    assert len(await told(town, "钱进", "change_waits")) == 2
    with clock.at(clock.now() + timedelta(hours=2)):
        await remind_deciders(spring)
    assert len(await told(town, "钱进", "change_waits")) == 2


async def test_a_login_that_was_opened_by_somebody_else_is_told_to_who_may_confirm_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "UPDATE login SET opened_by_login = $1, opened_at = now(), confirmed_at = NULL WHERE id = $2",
        town.logins["赵丽"], town.logins["周敏"],
    )  # fmt: skip
    await remind_deciders(town.system())
    assert await told(town, "赵丽", "logins_wait") == [], "who gave the code does not confirm it"
    [text] = await told(town, "钱进", "logins_wait")
    assert "1 位工作人员的账号等您确认是本人的" in text


async def test_who_may_confirm_a_resident_whose_account_rests_is_told_and_who_changed_the_phone_is_not(
    town: Town, client: httpx.AsyncClient
) -> None:
    changed = await client.patch(
        f"{API}/people/{town.people['张桂兰']}", json={"phone": "19900007790"}, headers=await town.sign_in("赵丽")
    )
    assert changed.status_code == 200, changed.text
    for _ in range(2):
        await remind_deciders(town.system())
    assert await told(town, "赵丽", "logins_wait") == [], "she changed the phone herself"
    [text] = await told(town, "钱进", "logins_wait")
    assert "1 位居民的账号等您确认是本人的" in text
    agreed = await client.post(f"{API}/agreements/logins/{town.people['张桂兰']}", headers=await town.sign_in("周敏"))
    assert agreed.status_code in (200, 201, 204), agreed.text
    with clock.at(clock.now() + timedelta(days=1)):
        await remind_deciders(town.system())
    assert len(await told(town, "钱进", "logins_wait")) == 1, "nothing rests any more"
