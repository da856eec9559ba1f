"""Where a resident is signed in, as the panel shows it, and an end to it by an administrator."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.support.messages import texts
from tests.support.town import SPRING, Town, set_password
from timebank.access.registration import RoleHolder
from timebank.access.sign_in import sessions
from timebank.access.sign_in.device_kinds import KINDS, DeviceKind, kind_of_device
from timebank.access.sign_in.logins import give_one_time_code
from timebank.access.sign_in.sign_ins import SignIn, SignInsEnd, end_sign_ins, sign_ins_of
from timebank.core import clock, database
from timebank.core.capability import Reading
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError

PASSWORD = "桂兰的密码-2026"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; V2307A) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0"
)
LOST = SignInsEnd(reason="手机丢了，本人来站里请退出")


async def shown(town: Town, name: str, reader: str = "赵丽") -> list[SignIn]:
    return await sign_ins_of(await town.scope(reader), town.people[name], Reading())


async def opens(client: httpx.AsyncClient, token: str) -> bool:
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (ANDROID, "android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "iphone"),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1", "tablet"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114.0 ArkWeb/4.1 Mobile", "harmony"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", "mac"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "computer"),
        ("python-httpx/0.28.1", "other"),
        ("", "other"),
    ],
)
def test_a_device_is_known_by_its_kind_alone(said: str, kind: DeviceKind) -> None:
    assert kind_of_device(said) == kind
    assert kind in KINDS


async def test_the_page_lists_sign_ins_in_words_and_keeps_nothing_else_of_the_browser(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    signed_in = {"phone": town.phones["张桂兰"], "password": PASSWORD}
    assert (await client.post("/sign-in", data=signed_in, headers={"User-Agent": ANDROID})).status_code == 303
    headers, _ = await browser(town, "赵丽")
    page = await client.get(f"/admin/people/{town.people['张桂兰']}?part=sign_ins", headers=headers)
    assert "安卓手机" in page.text
    assert "退出登录" in page.text
    kept = await owner.fetch("SELECT s::text AS row FROM session s WHERE login_id = $1", town.logins["张桂兰"])
    assert not [row for row in kept if "Mozilla" in row["row"] or "V2307A" in row["row"] or "127.0.0.1" in row["row"]]


async def test_the_time_of_use_is_noted_to_the_hour(town: Town, client: httpx.AsyncClient) -> None:
    token, now = await town.token("张桂兰"), clock.now()
    for minutes, noted in ((0, 0), (59, 0), (61, 61)):
        with clock.at(now + timedelta(minutes=minutes)):
            assert await opens(client, token)
            [one] = await shown(town, "张桂兰")
            assert one.used_at == now + timedelta(minutes=noted)


async def test_requests_of_one_session_at_once_do_not_wait_for_each_other(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The row is locked, as by a slow request that notes it too."""
    token = await town.token("张桂兰")
    async with owner.transaction():
        await owner.execute("SELECT FROM session WHERE login_id = $1 FOR NO KEY UPDATE", town.logins["张桂兰"])
        assert await asyncio.wait_for(opens(client, token), 30)


async def test_an_end_tells_the_person_and_is_audited_about_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    first, second = await town.token("张桂兰"), await town.token("张桂兰")
    admin = await town.scope("赵丽")
    chosen = next(one for one in await shown(town, "张桂兰"))
    assert await end_sign_ins(admin, town.people["张桂兰"], SignInsEnd(LOST.reason, chosen.id)) == 1
    assert [await opens(client, token) for token in (first, second)].count(True) == 1
    assert await end_sign_ins(admin, town.people["张桂兰"], LOST) == 1
    assert [await opens(client, token) for token in (first, second)] == [False, False]
    assert await end_sign_ins(admin, town.people["张桂兰"], LOST) == 0, "a repetition finds nothing to end"
    lines = await owner.fetch(
        "SELECT reason, about_id, person_id FROM audit WHERE verb = 'end_sign_ins' AND community_id = $1",
        town.community,
    )
    assert [UUID(bytes=line["about_id"].bytes) for line in lines] == [town.people["张桂兰"]] * 2
    assert {line["reason"] for line in lines} == {LOST.reason}
    told = await texts(owner, "kind = 'sign_ins_ended' AND person_id = $1", town.people["张桂兰"])
    assert len(told) == 2
    assert f"在 1 台设备上退出了登录。原因：{LOST.reason}。" in told[0]


async def test_two_administrators_at_once_end_each_sign_in_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    tokens = [await town.token("张桂兰") for _ in range(3)]
    admin, above = await town.scope("赵丽"), await town.scope("钱进", town.community)
    counts = await asyncio.gather(*(end_sign_ins(who, town.people["张桂兰"], LOST) for who in (admin, above)))
    assert sorted(counts) == [0, 3]
    assert not [token for token in tokens if await opens(client, token)]
    assert len(await texts(owner, "kind = 'sign_ins_ended' AND person_id = $1", town.people["张桂兰"])) == 1


async def test_the_password_still_signs_in_afterwards_and_nobody_else_can(
    town: Town, client: httpx.AsyncClient
) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    await town.token("张桂兰")
    await end_sign_ins(await town.scope("赵丽"), town.people["张桂兰"], LOST)
    body = {"phone": town.phones["张桂兰"], "password": PASSWORD}
    assert (await client.post("/api/v1/sessions", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("who", "whose", "refusal"),
    [
        ("张桂兰", "李秀英", Forbidden),
        ("周敏", "张桂兰", Forbidden),  # a keeper
        ("孙伟", "张桂兰", Forbidden),  # an auditor
        ("赵丽", "赵丽", Forbidden),  # herself
    ],
)
async def test_only_an_administrator_ends_sign_ins_and_not_the_own(
    town: Town, who: str, whose: str, refusal: type[TimebankError]
) -> None:
    await town.token(whose)
    with pytest.raises(refusal):
        await end_sign_ins(await town.scope(who), town.people[whose], LOST)


async def test_who_is_watched_does_not_keep_the_watchers_out(town: Town, client: httpx.AsyncClient) -> None:
    """An auditor and the street's administrator stay signed in, whatever the community's administrator does."""
    for name in ("孙伟", "钱进"):
        token = await town.token(name)
        with pytest.raises(RoleHolder):
            await end_sign_ins(await town.scope("赵丽"), town.people[name], LOST)
        assert await opens(client, token)


async def test_the_database_refuses_it_too(town: Town, client: httpx.AsyncClient) -> None:
    """Whatever the code asks for: an own record, a watcher's, and one of another community."""
    asked = "SELECT * FROM sessions_end_of($1, $2, NULL, $3)"
    for who, whose in (("赵丽", "赵丽"), ("赵丽", "孙伟"), ("周敏", "张桂兰"), ("孙伟", "张桂兰"), ("何静", "张桂兰")):
        token = await town.token(whose)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(await town.scope(who)):
                await database.fetch(asked, town.community, town.people[whose], clock.now())
        assert await opens(client, token)


async def test_an_administrator_of_another_community_sees_and_ends_nothing(town: Town) -> None:
    await town.token("张桂兰")
    elsewhere = await town.scope("何静", town.communities[SPRING])
    assert await sign_ins_of(elsewhere, town.people["张桂兰"], Reading()) == []
    with pytest.raises(NotFound):
        await end_sign_ins(elsewhere, town.people["张桂兰"], LOST)


async def test_neighbours_and_keepers_see_no_sign_ins_and_the_auditor_sees_them(town: Town) -> None:
    await town.token("张桂兰")
    assert [len(await shown(town, "张桂兰", reader)) for reader in ("李秀英", "周敏")] == [0, 0]
    assert len(await shown(town, "张桂兰", "孙伟")) == 1


async def test_a_sign_in_by_a_code_is_shown_as_one(town: Town) -> None:
    phone = town.phones["张桂兰"]
    code = await give_one_time_code(await town.scope("赵丽"), town.people["张桂兰"], phone, "scan")
    await sessions.sign_in(phone, otp=code, device="iphone")
    [one] = await shown(town, "张桂兰")
    assert (one.by_code, one.word, one.used_at) == (True, "苹果手机", None)
