"""An import runs in short batches: it blocks nobody, survives a kill, and only authorised callers continue it."""

import asyncio
import zlib
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, table
from tests.imports.kinds.test_matter_books import MATTERS
from tests.imports.kinds.test_matter_books import row as matter
from tests.imports.kinds.test_members import MEMBERS
from tests.imports.kinds.test_members import row as member
from tests.imports.test_api import Desk
from tests.support.matters import matters_ground
from tests.support.messages import texts
from tests.support.town import SPRING, Town
from tests.support.units import add_units
from timebank.areas.reach import require_region
from timebank.core import clock, database, vault
from timebank.core.database.refusals import ReadOnly
from timebank.core.errors import Forbidden
from timebank.core.scope import Grant, Role, Scope
from timebank.imports.intake import Kind
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports import history
from timebank.imports.reports.report import Findings
from timebank.imports.runs import batches as carrying
from timebank.imports.runs import runs, work
from timebank.imports.runs import worker_job as leftover
from timebank.imports.runs.batches import Progress
from timebank.imports.runs.undo import undo
from timebank.operations import worker
from timebank.people.records import set_person_status
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn

DAY = date(2026, 7, 1)
HOME = {"building": "9栋", "room": "101"}


def services(town: Town, count: int, *names: str) -> bytes:
    """A CSV file of so many hours of these people, without overlaps."""
    rows = []
    for number in range(count):
        name, turn = names[number % len(names)], number // len(names)
        day, hour = DAY - timedelta(days=turn // 10), 8 + turn % 10
        rows.append([day, "站点值守", "", name, town.phones[name], f"{hour}:00", f"{hour}:45"])
    return table(HOURS, *rows)


async def get_ready(kind: Kind, town: Town, owner: asyncpg.Connection) -> None:
    """Switch on what the workbooks of this kind need."""
    if kind == "members":
        await add_units(owner, town)
    if kind == "matters":
        await matters_ground(town, owner)


async def begun(scope: Scope, kind: Kind, content: bytes, *, batches: int = 0) -> UUID:
    """Start a run and stop after so many batches, as if its process had been killed; return its id."""
    found = await runs.try_or_import(scope, kind, f"{kind}.csv", content, dry_run=False, skip_bad=True, seconds=-1)
    assert isinstance(found, Progress)
    at = await work.under_way(scope)
    assert at is not None
    steps = carrying.steps_of(at)
    rows = await work.plan_of(scope, at.run_id, steps.row)
    assert rows is not None
    for _ in range(batches):
        assert await carrying._step(scope, at, steps, rows)
    return at.run_id


async def undo_begun(scope: Scope, run_id: UUID) -> None:
    """Start an undo and run its first batch, after which it runs to its end."""
    assert isinstance(await undo(scope, run_id, seconds=-1), Progress)
    at = await work.under_way(scope)
    assert at is not None
    steps = carrying.steps_of(at)
    records = await work.plan_of(scope, run_id, steps.row)
    assert records is not None
    assert await carrying._step(scope, at, steps, records)


async def left_alone(owner: asyncpg.Connection) -> None:
    """Let the lease of the killed process expire."""
    await owner.execute("UPDATE import_work SET held_until = now() - interval '1 hour'")


async def lines_of(owner: asyncpg.Connection, table_name: str) -> int:
    counted: int = await owner.fetchval(f"SELECT count(*) FROM {table_name}")
    return counted


# ------------------------------------------------------------------------------------------------------------- trials


@pytest.mark.parametrize("kind", list(IMPORTERS))
async def test_a_trial_locks_no_row_and_writes_none(
    town: Town, pool: str, owner: asyncpg.Connection, kind: Kind
) -> None:
    """Another transaction locks every row that the file refers to, so a trial that waited for a lock would hang."""
    day = clock.local_day() - timedelta(days=2)
    rows: dict[str, list[Any]] = {
        "residents": [ROSTER, list(resident("林小满", phone=town.phones["张桂兰"], note="楼栋长"))],
        "hours": [HOURS, [day, "站点值守", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"]],
        "deeds": [DEEDS, [day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", ""]],
        "goods": [GOODS, ["雨伞", "把", 45, 3, "慈善超市", ""], ["香皂", "块", 8, 5, "慈善超市", 3]],
        "members": [MEMBERS, member("县税务局", "张桂兰", town.phones["张桂兰"])],
        "matters": [MATTERS, matter("W-1", day, "灯不亮", name="张桂兰", phone=town.phones["张桂兰"])],
    }
    await get_ready(kind, town, owner)
    scope, other = await town.scope("赵丽"), await asyncpg.connect(pool)
    async with other.transaction():
        for name in ("region", "person", "area", "household", "login", "membership", "good", "stock", "activity"):
            await other.execute(f"SELECT FROM {name} FOR UPDATE")
        await other.execute("LOCK TABLE import_run, import_row, import_work IN SHARE ROW EXCLUSIVE MODE")
        found = await runs.try_or_import(
            scope, kind, "a.csv", table(*rows[kind]), dry_run=True, skip_bad=True, seconds=None
        )
    await other.close()
    assert isinstance(found, Findings)
    assert (found.outcome, found.created, found.errors) == ("tried", len(rows[kind]) - 1, [])


async def test_a_trial_is_refused_every_write_by_the_database(town: Town) -> None:
    scope = await town.scope("赵丽")
    with pytest.raises(ReadOnly):
        async with database.reading(scope):
            await database.fetch("SELECT FROM person FOR NO KEY UPDATE")


# ------------------------------------------------------------------------------------------------- stopped and resumed


async def test_a_killed_run_is_carried_on_by_the_worker_to_the_same_end(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The process ends after two of three batches: written rows stay, and no row is lost or written twice."""
    scope = await town.scope("赵丽")
    run_id = await begun(scope, "hours", services(town, 600, "张桂兰", "李秀英", "王建国"), batches=2)
    assert await lines_of(owner, "service_record") == 500
    shown = (await client.get(f"/api/v1/imports/{run_id}", headers=await town.sign_in("孙伟"))).json()
    assert (shown["state"], shown["done"], shown["total"], shown["created"]) == ("running", 500, 600, 500)
    assert await leftover.continue_stopped_imports() == 0, "the process that holds it may still be there"
    await left_alone(owner)
    await owner.execute("UPDATE session SET ended_at = now()")
    assert await leftover.continue_stopped_imports() == 1
    records = await owner.fetch("SELECT person_id, started_at, entered_by FROM service_record")
    assert len({(row["person_id"], row["started_at"]) for row in records}) == len(records) == 600
    assert {row["entered_by"] for row in records} == {town.people["赵丽"]}
    audited = await owner.fetch("SELECT person_id, via FROM audit WHERE verb = 'record_service'")
    assert {row["person_id"] for row in audited} == {town.people["赵丽"]}
    assert {row["via"] for row in audited} == {"api", "worker"}
    report = (await client.get(f"/api/v1/imports/{run_id}", headers=await town.sign_in("赵丽"))).json()
    assert (report["state"], report["created"], report["accepted"], report["errors"]) == ("done", 600, 600, [])
    assert await lines_of(owner, "import_work") == 0
    told = await owner.fetch("SELECT person_id, kind FROM message WHERE kind = 'import_ended'")
    assert [row["person_id"] for row in told] == [town.people["赵丽"]]
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'record_entered'") == 3, "each once"


async def test_a_killed_roster_gets_its_logins_offices_and_guardians_from_the_worker(
    town: Town, owner: asyncpg.Connection
) -> None:
    rows = [
        resident(
            "林小满", phone="19900008001", building="9栋", room="101", head="林小满", relation="户主", note="楼栋长"
        ),
        resident("林小雨", born="2018-05-01", building="9栋", room="101", head="林小满", relation="女"),
        *(resident(f"林{chr(0x4E00 + n)}", phone=f"1990001{n:04}", building="9栋", room=str(n)) for n in range(1, 151)),
    ]
    await begun(await town.scope("赵丽"), "residents", table(ROSTER, *rows), batches=1)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'") == 152
    grant = await owner.fetchrow("SELECT granted_by, role FROM role_grant r JOIN person p ON p.id = r.person_id "
                                 "WHERE p.name = '林小满'")  # fmt: skip
    assert grant is not None
    assert tuple(grant) == (town.people["赵丽"], "building_head")
    assert await owner.fetchval("SELECT count(*) FROM guardianship g JOIN person p ON p.id = g.child_id "
                                "WHERE p.name = '林小雨'") == 1  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM membership m JOIN person p ON p.id = m.person_id "
                                "WHERE p.name LIKE '林%'") == 151  # fmt: skip


@pytest.mark.parametrize("kind", list(IMPORTERS))
async def test_a_kill_after_any_batch_changes_nothing_of_the_end(
    town: Town, owner: asyncpg.Connection, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With batches of one row, each run by a new process, the result is the same."""
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    day = clock.local_day() - timedelta(days=5)
    rows: dict[str, list[Any]] = {
        "residents": [ROSTER, *(resident(f"林{chr(0x4E00 + n)}", phone=f"1990001{n:04}") for n in range(3))],
        "hours": [
            HOURS,
            *([day, "新活动", "", "张桂兰", town.phones["张桂兰"], f"{n}:00", f"{n}:30"] for n in (8, 9, 10)),
        ],
        "deeds": [DEEDS, *([day, "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", note] for note in "甲乙丙")],
        "goods": [GOODS, *([f"物品{n}", "个", 5, 4, "慈善超市", ""] for n in range(3))],
        "members": [MEMBERS, *(member("县税务局", f"林{name}", f"1990001000{n}") for n, name in enumerate("甲乙丙"))],
        "matters": [MATTERS, *(matter(f"W-{n}", day, f"第 {n} 盏灯不亮", day) for n in range(3))],
    }
    await get_ready(kind, town, owner)
    steps = IMPORTERS[kind].steps
    small = type(steps)(steps.row, 1, steps.take, steps.finish)
    monkeypatch.setattr(carrying, "steps_of", lambda _at: small)
    run_id = await begun(await town.scope("赵丽"), kind, table(*rows[kind]))
    while await lines_of(owner, "import_work"):
        await left_alone(owner)
        [at] = [await work.under_way(town.system())]
        assert at is not None
        actor = await carrying.actor_for(town.system(), at)
        planned = await work.plan_of(town.system(), run_id, small.row)
        assert actor is not None
        assert planned is not None
        await carrying._step(actor, at, small, planned)
    made = {"residents": "person WHERE name LIKE '林%'", "hours": "service_record", "deeds": "deed",
            "goods": "stock_move WHERE reason = 'import'", "members": "affiliation",
            "matters": "matter_step WHERE verb = 'import'"}  # fmt: skip
    assert await lines_of(owner, made[kind]) == 3
    found = await history.show_run(town.system(), run_id)
    assert (found.state, found.created, found.accepted, found.errors) == ("done", 3, 3, [])


async def test_the_same_file_again_after_a_kill_carries_the_run_on(town: Town, owner: asyncpg.Connection) -> None:
    """Repeating the import continues the first run and returns its report."""
    scope, content = await town.scope("赵丽"), services(town, 600, "张桂兰", "李秀英")
    run_id = await begun(scope, "hours", content, batches=1)
    await left_alone(owner)
    report = await runs.import_file(scope, "hours", "hours.csv", content, skip_bad=True)
    assert (report.run_id, report.outcome, report.created) == (run_id, "imported", 600)
    assert await lines_of(owner, "service_record") == 600
    again = await runs.import_file(scope, "hours", "hours.csv", content, skip_bad=True)
    assert (again.run_id, again.outcome) == (None, "unchanged")


async def test_what_changed_since_the_file_was_read_is_refused_row_by_row(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    run_id = await begun(scope, "hours", services(town, 300, "张桂兰", "欧阳凯伟"), batches=1)
    await set_person_status(town.system(), town.people["欧阳凯伟"], "left", "搬走")
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(scope, run_id)
    assert {error.code for error in found.errors} == {"person_not_active"}
    assert all(error.column == "姓名" and error.value == "欧阳凯伟" for error in found.errors)
    assert found.created == found.accepted == 300 - len(found.errors) == 275


async def test_a_row_refused_late_keeps_all_the_others_out_where_it_was_asked_so(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """欧阳凯伟 leaves between the check of the file and the first batch: no row is imported."""
    content = services(town, 20, "张桂兰", "欧阳凯伟")
    desk = await everybody_good_until_written(town, client, monkeypatch)
    report = (await desk.send("hours", content, skip_bad="false")).json()
    assert (report["outcome"], report["accepted"], report["created"], report["run_id"]) == ("refused", 0, 0, None)
    assert {error["code"] for error in report["errors"]} == {"person_not_active"}
    assert "有 10 行不能再导入" in report["notes"][-1]
    assert await lines_of(owner, "service_record") == await lines_of(owner, "import_row") == 0
    assert await lines_of(owner, "import_work") == 0
    assert await lines_of(owner, "message WHERE kind <> 'status_changed'") == 0
    skipped = (await desk.send("hours", content, skip_bad="true")).json()
    assert (skipped["outcome"], skipped["created"]) == ("imported", 10)


async def test_a_run_that_loses_a_row_half_way_says_that_it_is_incomplete_and_what_to_do(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of earlier batches stay, because they may be in use already; the report says `incomplete`."""
    content = services(town, 300, "张桂兰", "欧阳凯伟")
    taken = IMPORTERS["hours"].steps.take

    async def leaves_after_the_first(intake: Any, rows: Any) -> None:
        await taken(intake, rows)
        await owner.execute("UPDATE person SET status = 'left' WHERE name = '欧阳凯伟'")

    steps = IMPORTERS["hours"].steps
    monkeypatch.setattr(carrying, "steps_of", lambda _at: type(steps)(
        steps.row, steps.batch, leaves_after_the_first, steps.finish))  # fmt: skip
    desk = Desk(client, await town.sign_in("赵丽"))
    report = (await desk.send("hours", content, skip_bad="false")).json()
    late = len(report["errors"])
    assert late == 25
    assert (report["outcome"], report["created"], report["accepted"]) == ("incomplete", 300 - late, 300 - late)
    assert f"有 {late} 行因为情况变了没有导入" in report["notes"][-1]
    assert "请撤销这次导入" in report["notes"][-1]
    await set_person_status(town.system(), town.people["欧阳凯伟"], "active", "又回来了")
    monkeypatch.undo()
    again = (await desk.send("hours", content, skip_bad="false")).json()
    assert (again["outcome"], again["created"]) == ("imported", late)


async def everybody_good_until_written(town: Town, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A client during whose import 欧阳凯伟 leaves as soon as the run is stored."""
    written = runs._write_down

    async def then_leaves(*given: Any, **more: Any) -> None:
        await written(*given, **more)
        monkeypatch.undo()
        await set_person_status(town.system(), town.people["欧阳凯伟"], "left", "搬走")

    monkeypatch.setattr(runs, "_write_down", then_leaves)
    return Desk(client, await town.sign_in("赵丽"))


# ------------------------------------------------------------------------------------------- the caller's permissions


async def test_who_may_no_more_stops_the_run_and_is_told(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    run_id = await begun(await town.scope("赵丽"), "hours", services(town, 600, "张桂兰"), batches=1)
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE person_id = $1", town.people["赵丽"])
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(town.system(), run_id)
    assert (found.state, found.stopped, found.created) == ("stopped", "forbidden", 250)
    assert await lines_of(owner, "service_record") == 250
    assert "还有 350 行没有处理" in found.notes[-1]
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'import_stopped'") == 1
    assert await lines_of(owner, "import_work") == 0, "the next import need not wait"


async def test_nobody_begins_or_carries_on_in_anothers_name(town: Town, owner: asyncpg.Connection) -> None:
    """A thief with the serving role cannot use another's login without the proof, nor read the proof's hash."""
    await begun(await town.scope("赵丽"), "hours", services(town, 600, "张桂兰"), batches=1)
    at = await work.under_way(town.system())
    assert at is not None
    thief = Scope(community_id=town.community, login_id=town.logins["赵丽"], import_proof=b"x" * 32, via="worker")
    async with database.transaction(thief):
        assert await database.fetch("SELECT * FROM import_actor($1)", clock.local_day()) == []
        assert not await database.fetch_value("SELECT is_acting($1)", town.people["赵丽"])
    for column in ("proof_hash", "proof_until"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(town.system()):
                await database.fetch(f"SELECT {column} FROM import_work")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(town.system()):
            await database.execute("UPDATE import_work SET login_id = $1", town.logins["张桂兰"])
    await owner.execute("DELETE FROM import_work")
    run_id = await owner.fetchval("SELECT id FROM import_run")
    keeper = await town.scope("周敏")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(keeper):
            await work.begin(keeper, UUID(bytes=run_id.bytes), "import", [])
    forged = Scope(
        community_id=town.community, login_id=town.logins["赵丽"], persons=keeper.persons, session_id=keeper.session_id
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(forged):
            await work.begin(forged, UUID(bytes=run_id.bytes), "import", [])


async def test_the_worker_carries_on_what_a_street_administrator_began_in_a_community_without_an_own_record(
    town: Town, owner: asyncpg.Connection
) -> None:
    """The starter has the role over the street there too: a proposal that needs it is not refused by the worker."""
    spring = town.communities[SPRING]
    run_id = await begun(await town.scope("钱进", spring), "hours", services(town, 300, "马涛"), batches=1)
    at = await work.under_way(town.system(SPRING))
    assert at is not None
    starter = await work.starter_of(town.system(SPRING), at)
    assert (starter.community_id, starter.community_name, starter.person) == (spring, SPRING, None)
    assert starter.grants == {Grant(role=Role.street_admin, region_id=town.street)}
    assert (await require_region(starter, town.street)).id == town.street
    with pytest.raises(Forbidden):
        await require_region(starter, town.county)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(town.system(SPRING), run_id)
    assert (found.state, found.created) == ("done", 300)


async def test_the_proof_of_a_run_is_gone_with_its_end(town: Town, owner: asyncpg.Connection) -> None:
    await begun(await town.scope("赵丽"), "hours", services(town, 300, "张桂兰"), batches=1)
    at = await work.under_way(town.system())
    assert at is not None
    actor = await work.starter_of(town.system(), at)
    async with database.transaction(actor):
        assert await database.fetch_value("SELECT is_acting($1)", town.people["赵丽"])
        assert await database.fetch_value("SELECT may_administer($1)", town.community)
        assert not await database.fetch_value("SELECT may_administer($1)", town.communities["龙泉社区"])
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    async with database.transaction(actor):
        assert not await database.fetch_value("SELECT is_acting($1)", town.people["赵丽"])


async def test_what_waits_to_be_written_is_sealed(town: Town, owner: asyncpg.Connection) -> None:
    await begun(await town.scope("赵丽"), "residents", table(ROSTER, resident("林小满", phone="19900008001")))
    kept = await owner.fetchval("SELECT plan FROM import_work")
    assert "林小满".encode() not in kept
    assert b"19900008001" not in kept
    assert b"19900008001" in zlib.decompress(vault.unseal_bytes(kept, work.PLAN_SEAL))


# --------------------------------------------------------------------------------------------- progress on the pages


async def test_a_long_run_is_answered_with_how_far_it_is(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timebank.imports.api.ANSWER_WITHIN_SECONDS", -1)
    desk = Desk(client, await town.sign_in("赵丽"))
    answer = await desk.send("hours", services(town, 300, "张桂兰") + b"1,2\n")
    assert answer.status_code == 202
    told = answer.json()
    assert told == {"run_id": told["run_id"], "done": 1, "rows": 301}, "a refused row is dealt with"
    elsewhere = await desk.send("hours", services(town, 10, "李秀英"), dry_run="true")
    assert elsewhere.status_code == 200, "a trial waits for nothing"
    await leftover.continue_stopped_imports()
    shown = (await client.get(f"/api/v1/imports/{told['run_id']}", headers=desk.headers)).json()
    assert (shown["state"], shown["done"], shown["rows"], {error["row"] for error in shown["errors"]}) == (
        "done",
        301,
        301,
        {302},
    )
    undone = await client.delete(f"/api/v1/imports/{told['run_id']}", headers=desk.headers)
    assert (undone.status_code, undone.json()["done"], undone.json()["rows"]) == (202, 0, 300)
    await leftover.continue_stopped_imports()
    shown = (await client.get(f"/api/v1/imports/{told['run_id']}", headers=desk.headers)).json()
    assert (shown["state"], bool(shown["undone_at"])) == ("undone", True)
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == 300
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind IN ('import_ended', 'undo_ended')") == 2


async def test_everybody_who_opens_the_page_sees_how_far_it_is_and_whether_anything_moves_it_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    run_id = await begun(await town.scope("赵丽"), "hours", services(town, 600, "张桂兰"), batches=1)
    for name in ("赵丽", "孙伟"):
        headers, _ = await browser(town, name)
        page = (await client.get(f"/admin/imports/{run_id}", headers=headers)).text
        assert "250 / 600" in page
        assert "正在导入" in page
        assert "js/progress.js" in page
        assert "timebank worker" not in page
        assert "250 / 600" in (await client.get("/admin/imports", headers=headers)).text
    await left_alone(owner)
    headers, csrf = await browser(town, "赵丽")
    assert "请系统管理员启动 timebank worker" in (await client.get(f"/admin/imports/{run_id}", headers=headers)).text
    await owner.execute("INSERT INTO installation VALUES (1, $1, now()) ON CONFLICT DO NOTHING", vault.fingerprint())
    await worker.run_all()
    page = (await client.get(f"/admin/imports/{run_id}", headers=headers)).text
    assert "data-progress" not in page
    assert await owner.fetchval("SELECT worker_seen_at FROM installation") is not None
    undone = await client.post(f"/admin/imports/{run_id}/undo", headers=headers, data={"_csrf": csrf})
    assert undone.headers["location"].endswith("?done=undone")


async def test_a_community_imports_one_file_after_the_other(town: Town, owner: asyncpg.Connection) -> None:
    """A second file first continues the run under way, whose lease has expired, and then starts."""
    scope = await town.scope("赵丽")
    await begun(scope, "hours", services(town, 600, "张桂兰"), batches=1)
    await left_alone(owner)
    report = await runs.import_file(scope, "hours", "b.csv", services(town, 20, "李秀英"), skip_bad=True)
    assert (report.outcome, report.created) == ("imported", 20)
    assert await lines_of(owner, "service_record") == 620


async def test_what_an_older_version_began_is_stopped_and_goes_on_when_imported_again(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, content = await town.scope("赵丽"), services(town, 300, "张桂兰")
    run_id = await begun(scope, "hours", content, batches=1)
    await owner.execute(
        "UPDATE import_work SET plan = $1", vault.seal_bytes(zlib.compress(b"\x91\x01"), work.PLAN_SEAL)
    )
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    assert (await history.show_run(scope, run_id)).stopped == "import_of_before"
    report = await runs.import_file(scope, "hours", "hours.csv", content, skip_bad=True)
    assert (report.outcome, report.created) == ("imported", 50)
    assert await lines_of(owner, "service_record") == 300


async def test_what_a_command_began_and_nobody_repeats_holds_up_nobody_for_long(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Neither a page nor the worker may continue a command's run: it is stopped, its rows stay and can be undone."""
    run_id = await begun(town.system(), "hours", services(town, 600, "张桂兰"), batches=1)
    await left_alone(owner)
    assert await leftover.continue_stopped_imports() == 0
    scope = await town.scope("赵丽")
    report = await runs.import_file(scope, "hours", "b.csv", services(town, 20, "李秀英"), skip_bad=True)
    assert report.created == 20
    stopped = await history.show_run(scope, run_id)
    assert (stopped.state, stopped.stopped, stopped.created) == ("stopped", "abandoned", 250)
    assert stopped.undo_until is not None
    await undo(scope, run_id)
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == 250


# -------------------------------------------------------------------------------------------------------------- undo


async def test_what_is_reviewed_while_an_undoing_goes_on_stays_and_is_told(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    report = await runs.import_file(scope, "hours", "a.csv", services(town, 600, "张桂兰", "李秀英"), skip_bad=True)
    assert report.run_id is not None
    await undo_begun(scope, report.run_id)
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == 250
    await owner.execute("UPDATE service_record SET status = 'rejected' WHERE id = (SELECT id FROM service_record "
                        "WHERE status = 'pending' LIMIT 1)")  # fmt: skip
    await undo(scope, report.run_id)
    kept = await history.show_run(scope, report.run_id)
    assert (kept.state, bool(kept.undone_at)) == ("undone", True)
    assert kept.notes[-1] == "撤销进行时，有 1 处刚好被审核或用掉，没有撤回，请逐条更正"
    assert await owner.fetchval("SELECT count(*) FROM service_record WHERE status = 'withdrawn'") == 599
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'record_withdrawn'") == 2, "each once"


async def test_two_processes_that_carry_on_one_run_or_one_undoing_do_each_row_once(
    town: Town, owner: asyncpg.Connection
) -> None:
    await begun(await town.scope("赵丽"), "hours", services(town, 1500, "张桂兰", "李秀英"), batches=1)
    await left_alone(owner)
    at = await work.under_way(town.system())
    assert at is not None
    actors = [await carrying.actor_for(town.system(), at) for _ in range(3)]
    [found, *others] = await asyncio.gather(*(carrying.run_batches(actor, at.run_id) for actor in actors if actor))
    assert isinstance(found, Findings)
    assert (found.created, others) == (1500, [found] * 2)
    assert await lines_of(owner, "(SELECT DISTINCT person_id, started_at FROM service_record) AS each") == 1500
    assert await lines_of(owner, "service_record") == 1500
    assert await lines_of(owner, "message WHERE kind = 'record_entered'") == 2
    scopes = [await town.scope("赵丽") for _ in range(3)]
    await asyncio.gather(*(undo(scope, at.run_id) for scope in scopes))
    assert await lines_of(owner, "service_record WHERE status = 'withdrawn'") == 1500
    assert await lines_of(owner, "audit WHERE verb = 'undo_import'") == 1
    assert await lines_of(owner, "message WHERE kind = 'record_withdrawn'") == 2


async def test_an_undoing_whose_starter_may_no_more_stops_and_another_ends_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    report = await runs.import_file(scope, "hours", "a.csv", services(town, 600, "张桂兰"), skip_bad=True)
    assert report.run_id is not None
    await undo_begun(scope, report.run_id)
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE person_id = $1", town.people["赵丽"])
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    kept = await history.show_run(town.system(), report.run_id)
    assert (kept.state, kept.undone_at, bool(kept.undo_until)) == ("done", None, True)
    assert await lines_of(owner, "service_record WHERE status = 'withdrawn'") == 250
    [told] = await texts(owner, "kind = 'import_stopped'")
    assert "再撤销一次，就会接着做" in told
    assert "还有 350 处没有撤回" in kept.notes[-1]
    await undo(await town.scope("钱进"), report.run_id)
    assert await lines_of(owner, "service_record WHERE status = 'withdrawn'") == 600
    assert (await history.show_run(town.system(), report.run_id)).state == "undone"


async def test_goods_whose_undoing_was_stopped_are_taken_off_the_shelf_once(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    goods = table(GOODS, *([f"物品{n}", "个", 5, 4, "慈善超市", ""] for n in range(25)))
    report = await runs.import_file(scope, "goods", "a.csv", goods, skip_bad=True)
    assert report.run_id is not None
    await undo_begun(scope, report.run_id)
    await owner.execute("DELETE FROM import_work")  # as when an undo is stopped
    await undo(scope, report.run_id)
    assert await owner.fetchval("SELECT sum(quantity) FROM stock s JOIN good g ON g.id = s.good_id "
                                "WHERE g.name LIKE '物品%'") == 0  # fmt: skip
    assert await lines_of(owner, "stock_move WHERE reason = 'import_undone'") == 25
    kept = await history.show_run(scope, report.run_id)
    assert (kept.state, [note for note in kept.notes if "撤销进行时" in note]) == ("undone", [])


async def test_what_stands_in_the_way_is_told_by_kind_with_what_to_do(town: Town, owner: asyncpg.Connection) -> None:
    people = ["林丙", "林丁", "林东", "林山", "林水", "林舟"]
    rows = [resident(name, phone=f"1990001{n:04}") for n, name in enumerate(people)]
    scope = await town.scope("赵丽")
    report = await runs.import_file(scope, "residents", "a.csv", table(ROSTER, *rows), skip_bad=True)
    assert report.run_id is not None
    for number, name in enumerate(people):
        person_id = await owner.fetchval("SELECT id FROM person WHERE name = $1", name)
        start = clock.now() - timedelta(days=number + 1)
        await enter_hours(
            scope,
            HoursIn(person_id=person_id, started_at=start, ended_at=start + timedelta(hours=1), reason="忘带手机"),
        )
    with pytest.raises(Exception, match="不能整批撤销") as refused:
        await undo(scope, report.run_id)
    told = str(refused.value)
    assert f"{'、'.join(people[:3])}等 6 人已有服务记录" in told
    assert "登错的请到居民页逐位更正，不该在册的办理迁出" in told
    assert told.count("已有服务记录") == 1


# -------------------------------------------------------------------------------------------- the number of statements


class Statements:
    """Counts the statements that the service sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counted = 0
        for name in ("execute", "fetch", "fetchrow", "fetchval"):
            self._count(monkeypatch, name)

    def _count(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        original = getattr(asyncpg.pool.PoolConnectionProxy, name)

        async def once(connection: Any, *args: Any, **values: Any) -> Any:
            self.counted += 1
            return await original(connection, *args, **values)

        monkeypatch.setattr(asyncpg.pool.PoolConnectionProxy, name, once)


async def test_hours_and_deeds_take_far_less_than_a_statement_a_row(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Statements(monkeypatch)
    scope = await town.scope("赵丽")
    report = await runs.import_file(scope, "hours", "a.csv", services(town, 1000, "张桂兰", "李秀英"), skip_bad=True)
    assert report.created == 1000
    assert sent.counted < 250
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    sent.counted, day = 0, clock.local_day()
    deeds = [
        [day - timedelta(days=n + 1), "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", f"第{n}次"] for n in range(200)
    ]
    report = await runs.import_file(scope, "deeds", "b.csv", table(DEEDS, *deeds), skip_bad=True)
    assert report.created == 200
    assert sent.counted < 200


async def test_matters_and_members_take_a_few_statements_for_each_batch_of_a_hundred(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await get_ready("matters", town, owner)
    await get_ready("members", town, owner)
    sent = Statements(monkeypatch)
    scope, day = await town.scope("赵丽"), clock.local_day() - timedelta(days=40)
    rows = [matter(f"W-{n}", day - timedelta(days=n % 300), f"第 {n} 盏灯不亮", day) for n in range(1_000)]
    report = await runs.import_file(scope, "matters", "a.csv", table(MATTERS, *rows), skip_bad=True)
    assert report.created == 1_000
    assert sent.counted < 10 * 20 + 100
    assert await owner.fetchval("SELECT sum(received) FROM matter_tally WHERE subject_kind = 'all'") == 1_000
    sent.counted = 0
    people = [member("县税务局", f"林{chr(0x4E00 + n)}", f"138{n:08}") for n in range(300)]
    report = await runs.import_file(scope, "members", "b.csv", table(MEMBERS, *people), skip_bad=True)
    assert report.created == 300
    assert sent.counted < 3 * 30 + 60
