"""People are notified of what an import or its undo changes: once each, and the message does not block the undo."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.imports.files.test_workbooks import xlsx
from tests.imports.kinds.chengjiang import found_chengjiang
from tests.imports.kinds.test_imports import DEEDS, HOURS, ROSTER, resident
from tests.imports.runs.test_undo import FAMILY, person, take_in_family
from tests.support.messages import end_quiet_hours, texts
from tests.support.shop import API, books_balance, browser
from tests.support.town import Town
from timebank.access.sign_in_codes import sign_in_code
from timebank.core import clock, database
from timebank.core.errors import TimebankError
from timebank.deeds.credit import credit_due_deeds
from timebank.deeds.review import review_deed
from timebank.http.callers import csrf_token
from timebank.imports.reports.history import show_run
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.people.messages import count_unread
from timebank.policies.values import change_policy
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.service_records.review import review_record
from timebank.service_records.schemas import ReviewIn

DAY = clock.local_day() - timedelta(days=2)


async def send(client: httpx.AsyncClient, town: Town, kind: str, content: bytes) -> dict[str, Any]:
    """Import a workbook over HTTP; return its report, which must have no errors."""
    answer = await client.post(
        f"{API}/imports/{kind}", headers=await town.sign_in("赵丽"), files={"file": ("a.xlsx", content)}
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert report["errors"] == []
    return report


async def take_back(client: httpx.AsyncClient, town: Town, run_id: str) -> None:
    answer = await client.delete(f"{API}/imports/{run_id}", headers=await town.sign_in("赵丽"))
    assert answer.status_code == 200, answer.text


async def told(owner: asyncpg.Connection, of: UUID, kind: str | None = None) -> list[str]:
    return await texts(owner, "person_id = $1 AND ($2::text IS NULL OR kind = $2)", of, kind)


def hours_of(town: Town, name: str, times: int) -> list[list[object]]:
    return [
        [DAY - timedelta(days=n), "站点值守", "暖蜂驿站", name, town.phones[name], "09:00", "10:30"]
        for n in range(times)
    ]


async def test_a_roster_tells_who_holds_an_office_and_who_must_consent_once_and_is_still_taken_back(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    report = await send(client, town, "residents", xlsx(*FAMILY))
    assert (await send(client, town, "residents", xlsx(*FAMILY)))["outcome"] == "unchanged"
    head, spouse = await person(owner, "林小满"), await person(owner, "林大山")
    [office] = await told(owner, head, "role_granted")
    assert office.startswith("社区按花名册给您登记了「楼栋长」（9栋）的身份，从")
    for guardian in (head, spouse):
        [text] = await told(owner, guardian, "guardianship")
        assert text.startswith("社区按花名册登记您为林小雨的监护人，还没有经您同意。请登录后在「家庭」里确认同意")
    await take_back(client, town, report["run_id"])
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'") == 0
    assert await owner.fetchval("SELECT count(*) FROM message") == 0


async def test_a_guardian_who_was_known_before_is_told_of_the_naming_and_of_its_end(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    home = {"building": "5栋", "unit": "2单元", "room": "401", "head": "刘洋"}
    book = xlsx(
        ROSTER, resident("刘洋", phone=town.phones["刘洋"], relation="户主", **home),
        resident("刘小风", born="2019-03-03", relation="子", **home),
        resident("刘小云", born="2020-03-03", relation="女", **home),
    )  # fmt: skip
    for times in (1, 2):
        report = await send(client, town, "residents", book)
        assert report["created"] == 2
        await end_quiet_hours(owner)
        page = await (await browser(client, town, "刘洋")).see("/messages")
        assert "为刘小云、刘小风的监护人" in page
        assert 'href="/family"' in page
        await take_back(client, town, report["run_id"])
        texts = await told(owner, town.people["刘洋"], "guardianship")
        assert ["花名册已撤销" in text for text in texts] == [False, True] * times
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name IN ('刘小风', '刘小云')") == 0


async def test_who_has_read_what_an_import_told_has_used_it(town: Town, owner: asyncpg.Connection) -> None:
    """A login that was signed in already, for another community, can read the message without signing in again."""
    run_id = await take_in_family(town)
    await owner.execute("UPDATE message SET read_at = now() WHERE person_id = $1", await person(owner, "林小满"))
    with pytest.raises(ImportUsed) as refused:
        await undo(town.system(), run_id)
    assert refused.value.reasons() == ["林小满已经登录过"]


async def test_forty_rows_of_hours_are_one_message_and_so_is_their_end(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    book = xlsx(HOURS, *hours_of(town, "张桂兰", 40), *hours_of(town, "李秀英", 1))
    report = await send(client, town, "hours", book)
    assert (await send(client, town, "hours", book))["outcome"] == "unchanged"
    [many] = await told(owner, town.people["张桂兰"])
    assert many == "社区按签到表补录了您的 40 次服务，共 60 小时，审核并公示后才计入。不对的话请找社区管理员。"
    assert len(await told(owner, town.people["李秀英"])) == 1
    await take_back(client, town, report["run_id"])
    assert (await told(owner, town.people["张桂兰"]))[1:] == [
        "补录给您的 40 次服务（共 60 小时）撤回了，不再计入。不对的话请找社区管理员。"
    ]
    await end_quiet_hours(owner)
    assert await count_unread(await town.scope("张桂兰")) == 2


async def test_hours_that_fall_due_on_one_day_are_credited_in_one_message(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await send(client, town, "hours", xlsx(HOURS, *hours_of(town, "张桂兰", 3)))
    begin = clock.at_local(clock.local_day(), clock.local(clock.now()).time().replace(hour=9))
    for n, row in enumerate(await owner.fetch("SELECT id FROM service_record ORDER BY id")):
        with clock.at(begin + timedelta(minutes=n)):
            await review_record(await town.scope("钱进"), row["id"], ReviewIn("approve"))
    with clock.at(begin + timedelta(days=7, minutes=1)):
        assert await credit_due_records(town.system()) == 0, "the third falls due in a minute"
    with clock.at(begin + timedelta(days=7, minutes=2)):
        assert [await credit_due_records(town.system()) for _ in range(2)] == [3, 0]
    [text] = await told(owner, town.people["张桂兰"], "record_credited")
    assert text == "您补录的 3 次服务（共 4 小时 30 分）公示期满，积分 +45。"
    await books_balance(owner)


async def test_many_hours_approved_at_once_without_a_notice_are_one_message(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await change_policy(await town.scope("赵丽"), "notice_days", 0)
    await send(client, town, "hours", xlsx(HOURS, *hours_of(town, "张桂兰", 3), *hours_of(town, "李秀英", 1)))
    own = await send(client, town, "hours", xlsx(HOURS, *hours_of(town, "钱进", 1)))
    assert own["created"] == 1
    chosen = [str(row["id"]) for row in await owner.fetch("SELECT id FROM service_record ORDER BY id")]
    desk = await browser(client, town, "钱进")
    for approved, refused in ((4, 2), (0, 6)):
        data = {"record": [*chosen, str(clock.new_id())], "_csrf": csrf_token(desk.token)}
        done = await client.post("/admin/reviews", data=data, headers=desk.headers)
        assert done.headers["location"] == f"/admin/inbox?kind=service_record&approved={approved}&refused={refused}"
    assert await told(owner, town.people["张桂兰"], "record_credited") == [
        "您的 3 次服务（共 4 小时 30 分）已核对，积分 +45。"
    ]
    [single] = await told(owner, town.people["李秀英"], "record_credited")
    assert single == "您在暖蜂驿站的 1 小时 30 分已核对，积分 +15。"
    assert await told(owner, town.people["钱进"], "record_credited") == []
    await books_balance(owner)


async def test_a_book_of_deeds_tells_doers_and_witnesses_once_and_so_does_its_end(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    deeds = [[DAY - timedelta(days=n), "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", f"第{n}次"] for n in range(3)]
    report = await send(client, town, "deeds", xlsx(DEEDS, *deeds))
    doer, witness = town.people["王建国"], town.people["李秀英"]
    assert await told(owner, doer) == [
        "社区按台账登记了您的 3 件善行，共 30 分，审核并公示后才记分。不对的话请找社区管理员。"
    ]
    assert await told(owner, witness) == [
        "社区按台账登记的善行里有 3 件写了您是证明人。您没有见证的话，请告诉社区管理员。"
    ]
    await take_back(client, town, report["run_id"])
    assert (await told(owner, doer))[1:] == [
        "登记给您的 3 件善行（共 30 分）撤回了，不再记分。不对的话请找社区管理员。"
    ]
    assert (await told(owner, witness))[1:] == ["写您是证明人的 3 件善行撤回了。"]


async def test_deeds_that_fall_due_together_are_credited_in_one_message(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    deeds = [[DAY - timedelta(days=n), "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", f"第{n}次"] for n in range(3)]
    await send(client, town, "deeds", xlsx(DEEDS, *deeds))
    for row in await owner.fetch("SELECT id FROM deed ORDER BY id"):
        await review_deed(await town.scope("钱进"), row["id"], "approve", "", witness_asked=True)
    with clock.at(clock.now() + timedelta(days=8)):
        assert await credit_due_deeds(town.system()) == 3
    [text] = await told(owner, town.people["王建国"], "deed_credited")
    assert text.startswith("您的 3 件善行公示期满，已记 30 分，有效到")


async def test_who_stays_when_a_roster_is_taken_back_is_told_of_the_lost_office(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The withdrawn hours refer to the building head, whose record stays; import messages do not block the undo."""
    roster = await send(client, town, "residents", xlsx(*FAMILY))
    served = await send(
        client, town, "hours", xlsx(HOURS, [DAY, "站点值守", "", "林小满", "19900008001", "09:00", "10:00"])
    )
    await take_back(client, town, served["run_id"])
    await take_back(client, town, roster["run_id"])
    assert [r["name"] for r in await owner.fetch("SELECT name FROM person WHERE name LIKE '林%'")] == ["林小满"]
    stays = await person(owner, "林小满")
    assert await told(owner, stays, "role_ended") == [
        "您的「楼栋长」（9栋）身份取消了：登记它的花名册已撤销。不对的话请找社区管理员。"
    ]
    assert len(await told(owner, stays)) == 6, "office, naming, hours, and the end of each"
    assert await owner.fetchval("SELECT count(*) FROM message WHERE person_id <> $1", stays) == 0


async def test_what_somebody_else_has_told_still_keeps_an_import(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    report = await send(client, town, "residents", xlsx(*FAMILY))
    spouse = await person(owner, "林大山")
    code = await client.post(f"{API}/people/{spouse}/sign-in-code", headers=await town.sign_in("赵丽"))
    assert code.status_code == 201, code.text
    answer = await client.delete(f"{API}/imports/{report['run_id']}", headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (409, "import_used")
    assert "林大山收到过通知" in answer.json()["detail"]


async def test_a_trial_tells_nobody(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    books: dict[str, Sequence[Sequence[object]]] = {
        "residents": FAMILY, "hours": [HOURS, *hours_of(town, "张桂兰", 2)],
    }  # fmt: skip
    for kind, rows in books.items():
        tried = await client.post(
            f"{API}/imports/{kind}?dry_run=true", headers=await town.sign_in("赵丽"),
            files={"file": ("a.xlsx", xlsx(*rows))},
        )  # fmt: skip
        assert tried.json()["outcome"] == "tried"
    assert await owner.fetchval("SELECT count(*) FROM message") == 0


async def test_a_roster_of_thousands_tells_each_once_in_a_few_statements(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    community, queue, telling = await found_chengjiang(town), database.queue, 0

    def counted(*writes: database.Write) -> None:
        nonlocal telling
        telling += sum("tell_people" in write.sql for write in writes)
        queue(*writes)

    monkeypatch.setattr(database, "queue", counted)
    report = await community.take_in("residents")
    assert (report.outcome, telling) == ("imported", 2), "one for the offices, one for the guardians"
    for kind, named in (("role_granted", "role_grant"), ("guardianship", "guardianship")):
        who = "guardian_id" if named == "guardianship" else "person_id"
        people = await owner.fetchval(
            f"SELECT count(DISTINCT {who}) FROM {named} WHERE community_id = $1", community.id
        )
        messages = await owner.fetchrow(
            "SELECT count(*), count(DISTINCT person_id) AS readers FROM message WHERE community_id = $1 AND kind = $2",
            community.id, kind,
        )  # fmt: skip
        assert messages is not None
        assert tuple(messages) == (people, people)
        assert people > 20


async def test_the_serving_role_drops_no_message_but_of_whom_this_import_has_entered(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    served = await send(client, town, "hours", xlsx(HOURS, *hours_of(town, "张桂兰", 2)))
    report = await send(client, town, "residents", xlsx(*FAMILY))
    everybody = [row["person_id"] for row in await owner.fetch("SELECT DISTINCT person_id FROM message")]
    async with database.transaction(town.system()):
        for run_id in (served["run_id"], clock.new_id(), report["run_id"]):
            await database.execute("SELECT forget_import_messages($1, $2, $3)", town.community, run_id, everybody)
    left = [row["person_id"] for row in await owner.fetch("SELECT person_id FROM message")]
    assert left == [town.people["张桂兰"]]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(town.system()):
            await database.execute(
                "SELECT forget_import_messages($1, $2, $3)", town.communities["龙泉社区"], clock.new_id(), everybody
            )


async def test_an_undoing_and_a_message_at_once_never_lose_the_message_of_somebody_who_stays(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    for _ in range(4):
        run_id = await take_in_family(town)
        head = await person(owner, "林小满")
        outcomes = await asyncio.gather(undo(scope, run_id), sign_in_code(scope, head), return_exceptions=True)
        assert all(isinstance(o, TimebankError) for o in outcomes if isinstance(o, BaseException))
        undone = (await show_run(scope, run_id)).undone_at is not None
        people = await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'")
        own = await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'sign_in_code'")
        assert (people, own) == ((0, 0) if undone else (3, 1))
        if not undone:
            await owner.execute("DELETE FROM message WHERE import_id IS NULL; DELETE FROM one_time_code")
            await owner.execute("DELETE FROM audit WHERE verb = 'give_one_time_code'")
            await undo(scope, run_id)
        assert await owner.fetchval("SELECT count(*) FROM message") == 0
