"""A run does what its trial reported; rows that changed in between are refused, and nothing more is written."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest

from tests.imports.kinds.test_imports import resident, table, take_in
from tests.imports.kinds.test_offices import FIRST, ROSTER, SECOND, heads, held, roster, workbook_of
from tests.imports.runs.test_runs import begun, left_alone
from tests.merging.test_merging import TWIN, merged, twin
from tests.support.town import Town
from timebank.access.roles.grants import end_grant
from timebank.core import clock, vault
from timebank.imports.files.refusals import ImportRefused
from timebank.imports.intake import Kind
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports import history
from timebank.imports.reports.report import Report
from timebank.imports.runs import batches as carrying
from timebank.imports.runs import worker_job as leftover
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.imports.steps import Steps
from timebank.people.records import set_person_status
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.schemas import HoursIn

FAULTS = Path(__file__).parents[2] / "data" / "faults"
MANIFEST = json.loads((FAULTS / "manifest.json").read_text())
LOG = ["日期", "姓名", "活动", "服务时长（小时）"]
DAY = date.today() - timedelta(days=3)  # noqa: DTZ011 - any past day


async def said_or_done(town: Town, kind: Kind, name: str, content: bytes, *, dry_run: bool) -> Report | str:
    """The report without outcome and run id, which differ between trial and run; or the code of a refused file."""
    scope = await town.scope("赵丽")
    try:
        report = await import_file(scope, kind, name, content, dry_run=dry_run, skip_bad=True)
    except ImportRefused as refused:
        return refused.code
    return msgspec.structs.replace(report, outcome="tried", run_id=None)


async def assert_done_as_said(town: Town, kind: Kind, name: str, content: bytes) -> None:
    said = await said_or_done(town, kind, name, content, dry_run=True)
    assert await said_or_done(town, kind, name, content, dry_run=False) == said


@pytest.mark.parametrize(("file", "kind"), [(one["file"], one["kind"]) for one in MANIFEST])
async def test_a_faulty_file_is_taken_in_as_its_trial_has_said(town: Town, file: str, kind: Kind) -> None:
    await assert_done_as_said(town, kind, file, (FAULTS / file).read_bytes())


@pytest.mark.parametrize("turned", [False, True])
async def test_heads_and_roster_are_taken_in_as_their_trial_has_said(town: Town, *, turned: bool) -> None:
    sheets = {
        "花名册": roster("31栋"),
        "楼栋长名册": [*heads("31"), ["32", "1", "张桂兰", "单元长", town.phones["张桂兰"]]],
    }
    ordered = dict(reversed(sheets.items())) if turned else sheets
    await assert_done_as_said(town, "residents", "a.xlsx", workbook_of(**ordered))
    again = await said_or_done(town, "residents", "a.xlsx", workbook_of(**ordered), dry_run=True)
    assert isinstance(again, Report)
    assert again.created == 0


async def in_batches_of_one(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    steps = IMPORTERS[kind].steps
    small = Steps(steps.row, 1, steps.take, steps.finish)
    monkeypatch.setattr(carrying, "steps_of", lambda _at: small)


async def places(owner: asyncpg.Connection) -> list[tuple[str, ...]]:
    found = await owner.fetch(
        "SELECT a.kind, a.name, p.name AS within FROM area a LEFT JOIN area p ON p.id = a.parent_id"
    )
    return sorted(tuple(map(str, row)) for row in found)


async def test_a_place_is_the_same_whichever_batch_its_rows_are_in(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first row names the building without its grid, the second with it."""
    await in_batches_of_one(monkeypatch, "residents")
    rows = [
        resident("林小满", identity=FIRST, building="31栋", grid=""),
        resident("林大山", identity=SECOND, building="31#", grid="第一网格", room="103"),
    ]
    await take_in(town, "residents", ROSTER, *rows)
    assert [place for place in await places(owner) if place[1] == "31栋"] == [("building", "31栋", "第一网格")]


async def test_heads_get_their_offices_also_when_every_row_is_a_batch(
    town: Town, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_batches_of_one(monkeypatch, "residents")
    content = workbook_of(楼栋长名册=heads("31"), 花名册=roster("31栋"))
    report = await import_file(await town.scope("赵丽"), "residents", "a.xlsx", content, skip_bad=True)
    assert (report.accepted, report.created) == (4, 2)
    assert await held(owner) == [("林小满", "building_head", "31栋"), ("林大山", "unit_head", "1单元")]


# ------------------------------------------------------------------------------------- changes between trial and run


async def grants_of(owner: asyncpg.Connection, name: str) -> list[UUID]:
    found = await owner.fetch(
        "SELECT g.id FROM role_grant g JOIN person p ON p.id = g.person_id WHERE p.name = $1", name
    )
    return [UUID(bytes=row["id"].bytes) for row in found]


async def test_an_office_that_is_ended_while_a_list_of_heads_waits_is_refused(
    town: Town, owner: asyncpg.Connection
) -> None:
    await take_in(town, "residents", *roster("31栋"))
    scope = await town.scope("赵丽")
    run_id = await begun(scope, "residents", table(*heads("31")))
    by_hand = await take_office(town, owner, "林小满")
    await end_grant(scope, by_hand)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(scope, run_id)
    assert [(error.row, error.code, error.value) for error in found.errors] == [(2, "role_ended_before", "楼栋长")]
    assert (found.accepted, found.created) == (1, 1)
    assert await held(owner) == [("林大山", "unit_head", "1单元")]


async def take_office(town: Town, owner: asyncpg.Connection, name: str) -> UUID:
    """Grant the role of the list by hand."""
    grant_id = await owner.fetchval(
        "INSERT INTO role_grant (community_id, id, person_id, role, area_id, starts_on, granted_at) "
        "SELECT p.community_id, gen_random_uuid(), p.id, 'building_head', a.id, now()::date, now() "
        "FROM person p JOIN area a ON a.community_id = p.community_id AND a.name = '31栋' "
        "WHERE p.name = $1 RETURNING id",
        name,
    )
    return UUID(bytes=grant_id.bytes)


async def test_who_was_no_resident_when_the_list_was_read_gets_no_office_of_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    """The trial reported no role for a person who had left; one who returns before the run gets none either."""
    await take_in(town, "residents", *roster("31栋"))
    scope = await town.scope("赵丽")
    gone = await owner.fetchval("SELECT id FROM person WHERE name = '林小满'")
    await set_person_status(town.system(), UUID(bytes=gone.bytes), "left", "搬走")
    await begun(scope, "residents", table(*heads("31")))
    await set_person_status(town.system(), UUID(bytes=gone.bytes), "active", "搬回")
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    assert await held(owner) == [("林大山", "unit_head", "1单元")]


def by_hand(town: Town, hours: Sequence[tuple[int, int]]) -> list[HoursIn]:
    midnight = clock.day_bounds(DAY)[0]
    return [
        HoursIn(
            person_id=town.people["张桂兰"], started_at=midnight + timedelta(hours=begin),
            ended_at=midnight + timedelta(hours=end), reason="补录",
        )
        for begin, end in hours
    ]  # fmt: skip


async def test_a_service_without_an_hour_goes_where_its_day_is_free_by_then(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    rows = [[DAY, "张桂兰", "巡逻", "2"], [DAY, "张桂兰", "值守", "1.5"]]
    run_id = await begun(scope, "hours", table(LOG, *rows))
    for entered in by_hand(town, [(0, 3)]):
        await enter_hours(scope, entered)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(scope, run_id)
    assert (found.errors, found.created) == ([], 2)
    entered_at = await owner.fetch(
        "SELECT started_at, ended_at, flags FROM service_record WHERE reason_said IS NOT NULL ORDER BY started_at"
    )
    assert entered_at[0]["started_at"] == by_hand(town, [(3, 5)])[0].started_at
    assert entered_at[0]["ended_at"] <= entered_at[1]["started_at"]
    assert not any("overlap" in row["flags"] for row in entered_at)


async def test_a_service_without_an_hour_is_refused_where_its_day_has_filled_up(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    run_id = await begun(scope, "hours", table(LOG, [DAY, "张桂兰", "巡逻", "9"], [DAY, "张桂兰", "值守", "1"]))
    for entered in by_hand(town, [(0, 8), (8, 16)]):
        await enter_hours(scope, entered)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(scope, run_id)
    assert [(error.row, error.code, error.value) for error in found.errors] == [(2, "day_full", "9")]
    assert (found.accepted, found.created) == (1, 1)


async def test_who_is_merged_while_hours_wait_is_refused_and_served_again_under_the_record_that_is_kept(
    town: Town, owner: asyncpg.Connection
) -> None:
    gone = await twin(town, owner, points=0)
    phone = "19900007777"
    await owner.execute("UPDATE person SET phone_index = $2 WHERE id = $1", gone, vault.blind_index(phone, "phone"))
    scope, heading = await town.scope("赵丽"), ["日期", "姓名", "电话", "签到", "签退"]
    run_id = await begun(scope, "hours", table(heading, [DAY, "张桂兰", phone, "9:00", "11:00"]))
    await merged(town)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(scope, run_id)
    assert [(error.row, error.code) for error in found.errors] == [(2, "person_not_active")]
    assert (found.accepted, found.created) == (0, 0)
    again = await take_in(town, "hours", heading, [DAY, "张桂兰", town.phones["张桂兰"], "9:00", "11:00"])
    assert (again.outcome, again.created) == ("imported", 1)


async def test_a_roster_whose_row_is_one_record_of_two_by_now_is_no_news_and_keeps_what_was_merged(
    town: Town, owner: asyncpg.Connection
) -> None:
    rows = [ROSTER, resident("张桂兰", born="1961-05-05", building="5栋", unit="1单元", room="909")]
    first = await take_in(town, "residents", *rows)
    assert (first.outcome, first.created) == ("imported", 1)
    gone = await owner.fetchval("SELECT noun_id FROM import_row WHERE noun = 'person'")
    town.people[TWIN], town.home[TWIN] = UUID(bytes=gone.bytes), town.community
    await owner.execute("UPDATE person SET born_on = '1961-05-05' WHERE id = $1", town.people["张桂兰"])
    await merged(town)
    again = await take_in(town, "residents", *rows)
    assert (again.outcome, again.created, again.errors) == ("unchanged", 0, [])
    assert first.run_id is not None
    with pytest.raises(ImportUsed):
        await undo(await town.scope("赵丽"), first.run_id)
    kept = await owner.fetchval("SELECT merged_into FROM person WHERE id = $1", gone)
    assert kept == town.people["张桂兰"]
