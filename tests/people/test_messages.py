"""Messages: worded for each reader, one statement each, silent in the quiet hours, and one to all holders of a role."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from tests.support.messages import texts
from tests.support.shop import browser
from tests.support.town import PHOENIX, SPRING, Town
from timebank.access.registration import amend
from timebank.access.roles.holders import Place, notify_holders
from timebank.agreements.schemas import Waiting
from timebank.core import clock, database
from timebank.core.scope import Role, Scope
from timebank.core.wording import phrase
from timebank.overview.agreements import decide_change
from timebank.people.messages import (
    Notification,
    count_unread,
    due_at,
    mark_all_read,
    mark_read,
    notify,
    notify_many,
    own_messages,
)
from timebank.people.schemas import Correction

NOON = datetime(2027, 3, 10, 4, tzinfo=UTC)  # 12:00 in the place
EVENING = datetime(2027, 3, 10, 13, tzinfo=UTC)  # 21:00
NIGHT = datetime(2027, 3, 10, 19, 30, tzinfo=UTC)  # 03:30
MORNING = datetime(2027, 3, 10, 23, tzinfo=UTC)  # 07:00


async def kinds(town: Town, name: str) -> list[str]:
    return [message.kind for message in (await own_messages(await town.scope(name))).items]


async def readers(owner: asyncpg.Connection, town: Town, key: str) -> set[str]:
    named = {person_id: name for name, person_id in town.people.items()}
    found = await owner.fetch("SELECT person_id FROM message WHERE key = $1", key)
    return {named[row["person_id"]] for row in found}


# ------------------------------------------------------------------------------------------------------ in words


async def test_one_message_is_read_in_chinese_by_one_and_in_english_by_another_reader(
    town: Town, client: httpx.AsyncClient
) -> None:
    for name in ("张桂兰", "李秀英"):
        await notify(
            town.system(), town.people[name], "record_credited.several", "k", urgent=True,
            times=3, minutes=135, points=22,
        )  # fmt: skip
    headers = await town.sign_in("张桂兰")
    chinese = (await client.get("/api/v1/me/messages", headers=headers)).json()["items"]
    english = await client.get("/api/v1/me/messages", headers=headers | {"Accept-Language": "en"})
    assert [(m["kind"], m["text"]) for m in chinese] == [
        ("record_credited", "您的 3 次服务（共 2 小时 15 分）已核对，积分 +22。")
    ]
    [read] = english.json()["items"]
    assert (read["kind"], read["text"]) == (
        "record_credited", "Your 3 services (2 h 15 min in all) have been checked: +22 points."
    )  # fmt: skip
    assert read.keys() == {"id", "kind", "text", "about_id", "created_at", "read_at"}
    reader = await browser(client, town, "李秀英")
    for page in ("/", "/messages"):
        assert "您的 3 次服务（共 2 小时 15 分）已核对" in await reader.see(page)
        assert "Your 3 services (2 h 15 min in all)" in await reader.see(f"{page}?lang=en")


async def test_what_was_written_before_keeps_its_text(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO message (community_id, id, person_id, kind, text, key, created_at, due_at, urgent) "
        "VALUES ($1, $2, $3, 'card', '给您办了一张服务卡。', 'k', now(), now(), false)",
        town.community, clock.new_id(), town.people["张桂兰"],
    )  # fmt: skip
    for language in ("zh", "en"):
        [old] = (await own_messages(await town.scope("张桂兰"), language=language)).items
        assert (old.kind, old.text) == ("card", "给您办了一张服务卡。")


async def test_the_longest_reason_is_read_to_its_end(town: Town, owner: asyncpg.Connection) -> None:
    """Before, a message ended after 500 characters, in the middle of a word."""
    reason = "因为这样那样" * 80 + "。完"
    await notify(
        town.system(), town.people["张桂兰"], "deed_rejected", "k", rule="楼道卫生", day=clock.local_day(),
        area="3栋", reason=reason,
    )  # fmt: skip
    assert f"{reason} 改好后可以重新登记。" in (await texts(owner))[0]


async def test_a_message_is_written_as_sentence_and_values_and_nothing_else(
    town: Town, owner: asyncpg.Connection
) -> None:
    await notify(town.system(), town.people["张桂兰"], "card.given_anew", "k")
    row = await owner.fetchrow("SELECT kind, sentence, said::text, text FROM message")
    assert row is not None
    assert tuple(row) == ("card", "card.given_anew", "{}", None)
    for wrong in ("text = 'x'", "sentence = NULL", "said = NULL"):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"UPDATE message SET {wrong}")


async def test_what_is_sealed_of_a_change_stays_sealed_in_the_message_about_its_decision(
    town: Town, owner: asyncpg.Connection
) -> None:
    """赵丽 wants to change the phone of 孙伟, who audits her community; the street refuses."""
    waits = await amend(await town.scope("赵丽"), town.people["孙伟"], Correction(phone="13900001111"))
    assert isinstance(waits, Waiting)
    street = await town.scope("钱进", town.community)
    await decide_change(street, waits.waiting, "refuse", "请先核对")
    [text] = await texts(owner, "kind = 'change_decided'")
    assert text == "另一个人没有同意：更改孙伟的登记：手机号改成“139****1111”。说明：请先核对"
    [english] = await texts(owner, "kind = 'change_decided'", language="en")
    assert english.startswith("Somebody else has not agreed: ")
    assert english.endswith(" Note: 请先核对")
    assert "139****1111" in english
    assert "13900001111" not in await owner.fetchval("SELECT said::text FROM message WHERE kind = 'change_decided'")


# --------------------------------------------------------------------------------------------------- one statement


async def counted(scope: Scope, to_send: list[Notification], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many writes `notify_many` queues."""
    sent, queue = 0, database.queue

    def counting(*writes: database.Write) -> None:
        nonlocal sent
        sent += len(writes)
        queue(*writes)

    with monkeypatch.context() as patch:
        patch.setattr(database, "queue", counting)
        await notify_many(scope, to_send)
    return sent


async def test_one_statement_notifies_everybody_and_the_guardians_of_the_children_among_them(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = phrase("card.given")
    here = [name for name in town.people if town.home[name] == town.community]
    everybody = [Notification(town.people[name], says, "k") for name in here]
    assert await counted(town.system(), everybody, monkeypatch) == 1
    assert await counted(town.system(), everybody, monkeypatch) == 1
    assert await owner.fetchval("SELECT count(*) FROM message") == len(everybody), "once per key"
    await owner.execute("DELETE FROM message")
    await notify(town.system(), town.people["刘小雨"], "card.given", "child")
    assert await readers(owner, town, "child") == {"刘小雨", "刘洋"}
    [copy] = await texts(owner, "person_id = $1", town.people["刘洋"])
    assert copy == f"给刘小雨的消息：{says.text()}"
    [english] = await texts(owner, "person_id = $1", town.people["刘洋"], language="en")
    assert english == f"Message for 刘小雨: {says.text('en')}"
    assert await owner.fetchval("SELECT count(DISTINCT kind) FROM message") == 1, "a copy has the message's own kind"


async def test_a_child_has_its_messages_copied_until_the_day_it_is_fourteen(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE person SET born_on = '2016-02-29' WHERE name = '刘小雨'")
    for day, copies in ((datetime(2030, 2, 28, 4, tzinfo=UTC), 1), (datetime(2030, 3, 1, 4, tzinfo=UTC), 0)):
        with clock.at(day):
            await notify(town.system(), town.people["刘小雨"], "card.given", f"k{day}")
        assert len(await readers(owner, town, f"k{day}")) == 1 + copies


async def test_two_at_once_write_one_event_once(town: Town, owner: asyncpg.Connection) -> None:
    await asyncio.gather(*[notify(town.system(), town.people["刘小雨"], "card.given", "k") for _ in range(5)])
    text = phrase("card.given").text()
    assert sorted(await texts(owner)) == sorted([text, f"给刘小雨的消息：{text}"])


# ----------------------------------------------------------------------------------------------------- quiet hours


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOON, NOON),
        (EVENING - timedelta(seconds=1), EVENING - timedelta(seconds=1)),
        (EVENING, MORNING),
        (NIGHT, MORNING),
        (MORNING - timedelta(seconds=1), MORNING),
        (MORNING, MORNING),
    ],
)
def test_a_message_of_the_night_is_due_at_seven(now: datetime, due: datetime) -> None:
    assert due_at(now) == due
    assert due_at(now, urgent=True) == now


async def test_what_is_not_urgent_is_neither_listed_nor_counted_before_the_morning(town: Town) -> None:
    zhang = town.people["张桂兰"]
    with clock.at(EVENING):
        await notify(town.system(), zhang, "card.given", "quiet")
        await notify(town.system(), zhang, "sign_in_code.used", "loud", urgent=True, where=PHOENIX, at=clock.now())
        scope = await town.scope("张桂兰")
        assert await kinds(town, "张桂兰") == ["sign_in_code"]
        assert await count_unread(scope) == 1
        await mark_all_read(scope)
    with clock.at(MORNING - timedelta(seconds=1)):
        assert await count_unread(await town.scope("张桂兰")) == 0
    with clock.at(MORNING):
        scope = await town.scope("张桂兰")
        assert await kinds(town, "张桂兰") == ["card", "sign_in_code"], "what became visible last comes first"
        assert await count_unread(scope) == 1, "nobody has read it before it was to be seen"
        [unread] = (await own_messages(scope, unread=True)).items
        assert unread.created_at == EVENING
        await mark_read(scope, unread.id)
        assert await count_unread(scope) == 0


async def test_what_one_has_done_oneself_is_seen_at_once_at_night_too(town: Town) -> None:
    """The caller is awake, and may wait for just this message."""
    with clock.at(NIGHT):
        keeper = await town.scope("周敏")
        for name in ("周敏", "张桂兰"):
            await notify(keeper, town.people[name], "card.given", "k")
        assert await kinds(town, "周敏") == ["card"]
        assert await kinds(town, "张桂兰") == []


async def test_a_page_of_messages_goes_on_where_the_last_one_ended(town: Town) -> None:
    with clock.at(NIGHT):
        for n in range(5):
            await notify(town.system(), town.people["张桂兰"], "card.given", f"night{n}")
    with clock.at(NOON + timedelta(days=1)):
        await notify(town.system(), town.people["张桂兰"], "card.revoked", "noon")
        scope, seen, cursor = await town.scope("张桂兰"), [], None
        while True:
            page = await own_messages(scope, limit=2, cursor=cursor)
            seen += [message.text for message in page.items]
            cursor = page.next
            if cursor is None:
                break
    assert seen == [phrase("card.revoked").text(), *[phrase("card.given").text()] * 5]


# ------------------------------------------------------------------------------------------------ holders of a role


async def waits(scope: Scope, roles: list[Role], place: Place, key: str = "k", *, urgent: bool = False) -> int:
    return await notify_holders(scope, roles, place, "cards_wait", {"place": PHOENIX, "count": 2}, key, urgent=urgent)


async def test_everybody_who_holds_a_role_for_a_place_is_notified_and_nobody_else(
    town: Town, owner: asyncpg.Connection
) -> None:
    system = town.system()
    unit = Place(area_id=town.areas[f"{PHOENIX}/第一网格/3栋/1单元"])
    building = Place(area_id=town.areas[f"{PHOENIX}/第一网格/3栋"])
    station = Place(station_id=town.stations["暖蜂驿站"])
    cases: list[tuple[str, list[Role], Place, set[str]]] = [
        ("unit", [Role.unit_head, Role.building_head, Role.grid_worker], unit, {"李秀英", "王建国", "陈明"}),
        ("building", [Role.unit_head, Role.building_head], building, {"王建国"}),
        ("station", [Role.station_keeper], station, {"周敏"}),
        ("admins", [Role.community_admin], station, {"赵丽"}),
        ("community", [Role.grid_worker, Role.community_admin, Role.auditor], Place(), {"赵丽", "孙伟"}),
        ("above", [Role.street_admin, Role.county_admin], Place(), {"钱进", "吴昊"}),
        ("nobody", [], Place(), set()),
    ]
    for key, roles, place, expected in cases:
        for notified in (len(expected), 0):
            assert await waits(system, roles, place, key) == notified, key
        assert await readers(owner, town, key) == expected, key
    assert set(await texts(owner, "key = 'unit'")) == {phrase("cards_wait", place=PHOENIX, count=2).text()}


async def test_who_acts_is_not_notified_of_it(town: Town, owner: asyncpg.Connection) -> None:
    """Nor is an own record of theirs elsewhere, by which they hold the role."""
    assert await waits(await town.scope("赵丽"), [Role.community_admin, Role.auditor], Place()) == 1
    assert await readers(owner, town, "k") == {"孙伟"}


async def test_a_role_that_is_over_or_not_yet_begun_and_a_holder_who_left_are_left_out(
    town: Town, owner: asyncpg.Connection
) -> None:
    grid, worker = Place(area_id=town.areas[f"{PHOENIX}/第一网格"]), [Role.grid_worker]
    in_force = "ended_at = NULL, ends_on = NULL, starts_on = current_date - 9"
    for key, change in enumerate(("ended_at = now()", "ends_on = current_date - 2", "starts_on = current_date + 2")):
        await owner.execute(f"UPDATE role_grant SET {change} WHERE role = 'grid_worker'")
        assert await waits(town.system(), worker, grid, f"over{key}") == 0
        await owner.execute(f"UPDATE role_grant SET {in_force} WHERE role = 'grid_worker'")
    assert await waits(town.system(), worker, grid, "in force") == 1
    await owner.execute("UPDATE person SET status = 'left' WHERE name = '陈明'")
    assert await waits(town.system(), worker, grid, "left") == 0


async def test_an_administrator_who_lives_elsewhere_is_notified_at_home(town: Town, owner: asyncpg.Connection) -> None:
    """钱进 and 吴昊 live in 凤凰社区 and are above 龙泉社区 too."""
    spring = Scope.of_system(town.communities[SPRING])
    assert await waits(spring, [Role.community_admin, Role.street_admin], Place()) == 2
    homes = await owner.fetch("SELECT person_id, community_id FROM message")
    assert {(r["person_id"], r["community_id"]) for r in homes} == {
        (town.people["钱进"], town.community), (town.people["何静"], town.communities[SPRING]),
    }  # fmt: skip


async def test_a_caller_notifies_no_holders_of_a_community_that_is_not_theirs(
    town: Town, serving: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await serving.fetchval(
            "SELECT tell_holders($1, '{community_admin}', NULL, NULL, now(), now(), current_date, false, '{}', "
            "'card.given', '{}', 'k', NULL)",
            town.communities[SPRING],
        )  # fmt: skip


async def test_an_urgent_message_to_holders_is_due_at_night(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(NIGHT):
        await waits(town.system(), [Role.auditor], Place(), "calm")
        await waits(town.system(), [Role.auditor], Place(), "loud", urgent=True)
    found = await owner.fetch("SELECT key, due_at, urgent FROM message ORDER BY key")
    assert [tuple(row) for row in found] == [("calm", MORNING, False), ("loud", NIGHT, True)]
