"""Two records and a merge give nobody more than one record would: debts, caps, cards, second persons, undo."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.imports.kinds.test_imports import DEEDS, HOURS, table
from tests.imports.runs.test_runs import begun, left_alone
from tests.merging.test_merging import TWIN, clean, merged, one_name, twin
from tests.support.counter import PASSWORD, tablet
from tests.support.presence import card, nine_o_clock, nonce, scanned, served
from tests.support.shop import API, browser, key, points_of, wish
from tests.support.town import PHOENIX, Town, set_password
from timebank.access.sign_in import sessions
from timebank.core import clock, database
from timebank.deeds.credit import reverse_deed
from timebank.deeds.filing.caps import CapReached
from timebank.deeds.filing.filing import file_deed
from timebank.deeds.schemas import DeedIn
from timebank.imports.intake import Kind
from timebank.imports.reports import history
from timebank.imports.runs import worker_job as leftover
from timebank.imports.runs.runs import import_file
from timebank.ledger.statement import balances
from timebank.merging.duplicates import side_by_side
from timebank.merging.facts import CannotMerge
from timebank.merging.undoing import MergeSpent, NotSecondForMerge, undo_merge


async def is_reversed(client: httpx.AsyncClient, town: Town, deed: UUID) -> None:
    headers = await town.sign_in("钱进") | key()
    answer = await client.post(f"{API}/deeds/{deed}/reversal", json={"reason": "重复"}, headers=headers)
    assert answer.status_code == 200, answer.text


async def stands(town: Town, name: str) -> tuple[int, int, int]:
    """Return the person's available, held and owed points."""
    found = await balances(town.system(), town.people[name], [])
    return found.points.available, found.points.held, found.owed


async def owing(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    """Make 李秀英, a second record of 张桂兰, owe 24 points: she spends 24 of 25 points, which are then reversed."""
    deed = await town.credit_deed("李秀英", 25)
    made = await client.post(
        f"{API}/redemptions", json=wish(town, "李秀英", "香皂", 3), headers=await town.sign_in("李秀英") | key()
    )
    assert made.status_code == 201, made.text
    collected = await client.post(
        f"{API}/redemptions/{made.json()['id']}/collection", json={"code": made.json()["code"]},
        headers=await town.sign_in("周敏") | key(),
    )  # fmt: skip
    assert collected.status_code == 200, collected.text
    await is_reversed(client, town, deed)
    assert await stands(town, "李秀英") == (0, 0, 24)
    await one_name(town, owner)


async def test_a_debt_comes_along_and_is_repaid_from_what_the_other_record_has(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owing(town, client, owner)
    await town.credit_deed("张桂兰", 40)
    done = await merged(town, "张桂兰", "李秀英")
    assert await stands(town, "张桂兰") == (16, 0, 0)
    await clean(town, owner)
    with pytest.raises(MergeSpent):
        await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert await stands(town, "张桂兰") == (16, 0, 0)
    await clean(town, owner)


async def test_a_debt_that_nothing_has_repaid_goes_back_with_the_undoing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owing(town, client, owner)
    done = await merged(town, "张桂兰", "李秀英")
    assert await stands(town, "张桂兰") == (0, 0, 24)
    await clean(town, owner)
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert (await stands(town, "张桂兰"), await stands(town, "李秀英")) == ((0, 0, 0), (0, 0, 24))
    await clean(town, owner)
    again = await merged(town, "张桂兰", "李秀英")
    await town.credit_deed("张桂兰", 10)
    assert await stands(town, "张桂兰") == (0, 0, 14)
    with pytest.raises(MergeSpent):
        await undo_merge(await town.scope("赵丽"), again.kept_id, again.id)
    await clean(town, owner)


async def test_the_kept_records_debt_is_repaid_from_what_comes(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owing(town, client, owner)
    await town.credit_deed("张桂兰", 40)
    await merged(town, "李秀英", "张桂兰")
    assert await stands(town, "李秀英") == (16, 0, 0)
    await clean(town, owner)


async def test_points_of_different_last_days_keep_them_there_and_back(town: Town, owner: asyncpg.Connection) -> None:
    days = [date(clock.local_day().year, 12, 31), date(clock.local_day().year + 1, 12, 31)]
    await town.credit_deed("张桂兰", 20, expires_on=days[1])
    await twin(town, owner, points=0)
    await town.credit_deed(TWIN, 30, expires_on=days[0])
    await town.credit_deed(TWIN, 5, expires_on=days[1])

    async def ends(name: str) -> list[tuple[date, int]]:
        found = await owner.fetch(
            "SELECT expires_on, balance FROM account WHERE owner_id = $1 AND currency = 'point' AND balance > 0 "
            "ORDER BY 1", town.people[name],
        )  # fmt: skip
        return [(row["expires_on"], row["balance"]) for row in found]

    done = await merged(town)
    assert await ends("张桂兰") == [(days[0], 30), (days[1], 25)]
    await clean(town, owner)
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert (await ends("张桂兰"), await ends(TWIN)) == ([(days[1], 20)], [(days[0], 30), (days[1], 5)])
    await clean(town, owner)


async def test_a_card_spends_nothing_either_until_the_merge_has_rested(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Otherwise the holder of the kept record's card could spend the other record's points at the counter at once."""
    await twin(town, owner, points=100)
    shown = await card(town, owner, "张桂兰")
    await merged(town)
    there = await tablet(client, town)
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    await there.sign_on(town, "周敏")
    seen = nonce()
    scan = await there.ask("POST", "/checkins", json={"code": shown, "nonce": seen, "direction": "in"})
    assert scan.json()["status"] == "ok"
    asked = wish(town, "张桂兰", "抽纸", collect_now=True, presence=seen)
    answer = await there.ask("POST", "/redemptions", 403, json=asked, headers=key())
    assert answer.json()["code"] == "merge_rests"
    await owner.execute("UPDATE spending_rest SET ended_at = since")
    await there.ask("POST", "/redemptions", 201, json=asked, headers=key())
    await clean(town, owner)


async def test_two_records_that_are_both_inside_wait_for_one_to_leave(town: Town, owner: asyncpg.Connection) -> None:
    await twin(town, owner)
    counter = await town.scope("周敏")
    for name in ("张桂兰", TWIN):
        assert (await scanned(counter, await card(town, owner, name))).status == "ok"
    with pytest.raises(CannotMerge, match="签到中"):
        await merged(town)


async def test_a_deed_of_one_that_the_other_witnessed_keeps_them_apart(town: Town, owner: asyncpg.Connection) -> None:
    await twin(town, owner, points=0)
    await owner.execute(
        "INSERT INTO deed (community_id, id, person_id, witness_id, area_id, rule_code, rule_version, points, "
        "occurred_on, note, status, created_at) VALUES ($1, $2, $3, $4, $5, 'mediation', 1, 10, current_date, '调解', "
        "'filed', now())",
        town.community, clock.new_id(), town.people[TWIN], town.people["张桂兰"],
        town.areas[f"{PHOENIX}/第一网格/5栋/1单元"],
    )  # fmt: skip
    with pytest.raises(CannotMerge, match="作证"):
        await merged(town)


async def both_awarded(town: Town, owner: asyncpg.Connection) -> list[UUID]:
    """One errand earned each of the two records a deed and an hour; the deeds are credited. Returns the deeds."""
    await twin(town, owner, points=0)
    source, place = clock.new_id(), town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]
    deeds = [await town.credit_deed(name, 5) for name in ("张桂兰", TWIN)]
    await owner.execute("UPDATE deed SET source_kind = 'errand', source_id = $1, area_id = $2", source, place)
    for name in ("张桂兰", TWIN):
        await owner.execute(
            "INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, "
            "flags, rule_code, created_at, source_kind, source_id) VALUES ($1, $2, 'honour', $3, $4, $5, 60, "
            "'rejected', '{}', 'service', $5, 'errand', $6)",
            town.community, clock.new_id(), town.people[name], clock.now() - timedelta(hours=1), clock.now(), source,
        )  # fmt: skip
    return deeds


async def test_one_thing_that_was_recorded_for_each_of_two_records_keeps_them_apart_until_one_is_reversed(
    town: Town, owner: asyncpg.Connection
) -> None:
    kept, other = await both_awarded(town, owner)
    with pytest.raises(CannotMerge, match="同一件事"):
        await merged(town)
    await reverse_deed(await town.scope("赵丽"), kept, "同一件事记了两次")
    await merged(town)
    assert await points_of(town, "张桂兰") == (5, 0)
    left = await owner.fetch("SELECT person_id FROM deed WHERE id = ANY ($1)", [kept, other])
    assert {row["person_id"] for row in left} == {town.people["张桂兰"], town.people[TWIN]}
    await clean(town, owner)
    await reverse_deed(await town.scope("赵丽"), other, "这一份也不对")
    assert await points_of(town, "张桂兰") == (0, 0)
    await clean(town, owner)


async def test_a_guardian_and_the_child_are_never_one(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE person SET born_on = NULL, sex = NULL WHERE name IN ('刘洋', '刘小雨')")
    with pytest.raises(CannotMerge, match="监护人"):
        await side_by_side(await town.scope("赵丽"), town.people["刘洋"], town.people["刘小雨"])


@pytest.mark.parametrize("consented", ["张桂兰", TWIN])
async def test_the_consent_of_whichever_record_gave_it_goes_on(
    town: Town, owner: asyncpg.Connection, consented: str
) -> None:
    """Both records are guardians of 刘小雨: one with consent, one only nominated."""
    await twin(town, owner)
    for name in ("张桂兰", TWIN):
        await owner.execute(
            "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
            "VALUES ($1, $2, $3, $4, '外婆', $5)",
            town.community, clock.new_id(), town.people[name], town.people["刘小雨"],
            clock.now() if name == consented else None,
        )  # fmt: skip
    held = "SELECT consented_at IS NOT NULL FROM guardianship WHERE guardian_id = $1"
    done = await merged(town)
    assert await owner.fetchval(held, town.people["张桂兰"])
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    for name in ("张桂兰", TWIN):
        assert await owner.fetchval(held, town.people[name]) == (name == consented)


async def test_the_caps_of_a_week_count_the_deeds_of_both(town: Town, owner: asyncpg.Connection) -> None:
    """The cap of one patrol a week holds for the deeds of both records together."""
    await twin(town, owner, points=0)
    day = clock.local_day()
    area = town.areas[f"{PHOENIX}/第一网格/3栋"]
    admin = await town.scope("赵丽")
    await file_deed(
        admin, DeedIn(person_id=town.people[TWIN], rule_code="patrol", area_id=area, occurred_on=day, note="巡查")
    )
    await merged(town)
    with pytest.raises(CapReached):
        await file_deed(
            admin,
            DeedIn(person_id=town.people["张桂兰"], rule_code="patrol", area_id=area, occurred_on=day, note="巡查"),
        )


async def test_what_both_records_have_earned_at_once_is_shown_to_whoever_merges(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The records have overlapping visits and the same patrol; the comparison counts one duplicate of each kind."""
    await twin(town, owner)
    begin, admin, counter = nine_o_clock(2), await town.scope("赵丽"), await town.scope("周敏")
    await served(town, "张桂兰", 60, begin=begin)
    shown = await card(town, owner, TWIN)
    for minutes in (30, 90):
        with clock.at(begin + timedelta(minutes=minutes)):
            assert (await scanned(counter, shown)).status == "ok"
    area, day = town.areas[f"{PHOENIX}/第一网格/3栋"], clock.local_day()
    for name in ("张桂兰", TWIN):
        await file_deed(
            admin, DeedIn(person_id=town.people[name], rule_code="patrol", area_id=area, occurred_on=day, note="巡查")
        )
    both = await side_by_side(admin, town.people["张桂兰"], town.people[TWIN])
    assert [(one.deeds_twice, one.records_twice) for one in both] == [(1, 1), (1, 1)]
    desk = await browser(client, town, "赵丽")
    page = await desk.see(f"/admin/people/{town.people['张桂兰']}/merge?merged_id={town.people[TWIN]}")
    assert "一个人只能记一次" in page
    await merged(town)
    await clean(town, owner)


async def test_who_once_was_one_of_the_two_or_lived_with_one_does_not_merge_them_alone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """赵丽 lived in 张桂兰's household before: her merge waits for a second person, and she may not undo it."""
    await twin(town, owner)
    asked, path = (
        {"merged_id": str(town.people[TWIN]), "reason": "同一个人"},
        f"{API}/people/{town.people['张桂兰']}/merge",
    )
    await owner.execute(
        "INSERT INTO household_move (community_id, id, person_id, from_household, moved_at) "
        "VALUES ($1, $2, $3, $4, now())",
        town.community, clock.new_id(), town.people["赵丽"], town.households["张桂兰"],
    )  # fmt: skip
    waits = await client.post(path, json=asked, headers=await town.sign_in("赵丽"))
    assert waits.status_code == 202, waits.text
    decision = f"{API}/agreements/{waits.json()['waiting']}/decision"
    agreed = await client.post(decision, json={"decision": "agree"}, headers=await town.sign_in("钱进"))
    assert agreed.status_code in (200, 204), agreed.text
    merge_id = await owner.fetchval("SELECT id FROM person_merge")
    with pytest.raises(NotSecondForMerge):
        await undo_merge(await town.scope("赵丽"), town.people["张桂兰"], UUID(bytes=merge_id.bytes))
    await clean(town, owner)


@pytest.mark.parametrize("kept", ["赵丽", "刘小雨"])
async def test_the_database_too_merges_nobodys_own_no_two_names_and_no_earnings_to_another_phone(
    town: Town, owner: asyncpg.Connection, kept: str
) -> None:
    """`person_merge` refuses 赵丽 her own record, a child in her care, two names, and earnings without one phone."""
    gone = await twin(town, owner, kept)
    if kept == "刘小雨":
        await owner.execute("UPDATE guardianship SET guardian_id = $1", town.people["赵丽"])
    await refuses(town, town.people[kept], town.people[TWIN])
    await refuses(town, town.people["李秀英"], town.people["王建国"])
    await owner.execute("UPDATE person SET name_key = (SELECT name_key FROM person WHERE id = $1)", gone)
    await refuses(town, town.people["李秀英"], gone)  # `gone` has points and no phone


async def refuses(town: Town, kept: UUID, gone: UUID) -> None:
    scope = await town.scope("赵丽")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(scope):
            await database.execute(
                "SELECT person_merge($1, ROW(gen_random_uuid(), 'k', '', 'merge', now(), now(), $2, 'person_merge', "
                "gen_random_uuid(), NULL, NULL, '', NULL, NULL)::ledger_entry, $3, $4, 'x', $5, '0')",
                town.community, scope.actor_id, kept, gone, scope.login_id,
            )  # fmt: skip


async def test_roles_and_cards_of_both_are_one_of_each_and_two_again_after_the_undoing(
    town: Town, owner: asyncpg.Connection
) -> None:
    await twin(town, owner)
    for name in ("张桂兰", TWIN):
        await card(town, owner, name)
        await owner.execute(
            "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
            "VALUES ($1, $2, $3, 'station_keeper', $4, current_date, now())",
            town.community, clock.new_id(), town.people[name], town.stations["慈善超市"],
        )  # fmt: skip
    roles = "SELECT count(*) FROM role_grant WHERE person_id = $1 AND ended_at IS NULL"
    cards = "SELECT count(*) FROM card WHERE person_id = $1 AND revoked_at IS NULL"
    done = await merged(town)
    kept, gone = town.people["张桂兰"], town.people[TWIN]
    assert [await owner.fetchval(sql, kept) for sql in (roles, cards)] == [1, 1]
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    for person_id in (kept, gone):
        assert [await owner.fetchval(sql, person_id) for sql in (roles, cards)] == [1, 1]
    await clean(town, owner)


async def test_an_open_objection_of_the_merged_record_is_heard_for_the_kept_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The open objection to the reversed deed of 李秀英 belongs to the kept record after the merge."""
    deed = await town.credit_deed("李秀英", 25)
    await is_reversed(client, town, deed)
    objected = await client.post(
        f"{API}/deeds/{deed}/objections", json={"reason": "是我做的"}, headers=await town.sign_in("李秀英") | key()
    )
    assert objected.status_code in (200, 201), objected.text
    await one_name(town, owner)
    await merged(town, "张桂兰", "李秀英")
    assert await owner.fetchval("SELECT person_id FROM objection") == town.people["张桂兰"]
    await clean(town, owner)


async def test_whose_login_lost_its_record_is_told_of_a_merge_and_of_no_other_phone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    token = await town.token("李秀英")
    await one_name(town, owner)
    await merged(town, "张桂兰", "李秀英")
    [moved] = await sessions.list_replaced_phones(token)
    assert (moved.cause, moved.community_name) == ("merge", PHOENIX)
    page = await client.get("/", headers={"Cookie": f"timebank_session={token}"})
    assert "并到了同一个人的另一条登记" in page.text
    assert "换成了另一个" not in page.text


async def test_what_the_kept_record_did_since_stays_with_it_when_they_are_two_again(
    town: Town, owner: asyncpg.Connection
) -> None:
    await twin(town, owner)
    done = await merged(town)
    await town.credit_deed("张桂兰", 7)
    await undo_merge(await town.scope("赵丽"), done.kept_id, done.id)
    assert (await points_of(town, "张桂兰"), await points_of(town, TWIN)) == ((7, 0), (30, 0))
    await clean(town, owner)


async def test_a_merge_into_what_was_merged_is_undone_only_from_the_last(town: Town, owner: asyncpg.Connection) -> None:
    """A is merged into B and B into C: the first merge is undone only after the second, and no points are created."""
    first = await twin(town, owner)
    await owner.execute("UPDATE person SET phone_index = NULL WHERE id = $1", first)
    admin = await town.scope("赵丽")
    into_b = await merged(town)
    await one_name(town, owner)
    into_c = await merged(town, "李秀英", "张桂兰")
    with pytest.raises(Exception, match="撤回"):
        await undo_merge(admin, into_b.kept_id, into_b.id)
    await undo_merge(admin, town.people["李秀英"], into_c.id)
    await undo_merge(admin, into_b.kept_id, into_b.id)
    assert (await points_of(town, "张桂兰"), await points_of(town, TWIN)) == ((0, 0), (30, 0))
    await clean(town, owner)


async def test_a_merge_while_a_book_that_names_both_goes_in_keeps_those_rows_for_the_next_import(
    town: Town, owner: asyncpg.Connection
) -> None:
    await twin(town, owner, points=0)
    day, admin = clock.local_day() - timedelta(days=2), await town.scope("赵丽")
    rows = [[day, "张桂兰", place, "调解邻里纠纷", 10, "李秀英", place] for place in ("3栋", "5栋1单元")]
    run_id = await begun(admin, "deeds", table(DEEDS, *rows))
    await merged(town)
    await left_alone(owner)
    await leftover.continue_stopped_imports()
    found = await history.show_run(admin, run_id)
    assert (found.created, [error.code for error in found.errors]) == (1, ["person_not_active"])
    again = await import_file(admin, "deeds", "a.csv", table(DEEDS, *rows), skip_bad=True)
    assert (again.created, [error.code for error in again.errors]) == (1, [])
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE person_id = $1", town.people["张桂兰"]) == 2
    await clean(town, owner)


async def test_the_books_of_a_merged_record_imported_again_file_nothing_twice(
    town: Town, owner: asyncpg.Connection
) -> None:
    day, admin = clock.local_day() - timedelta(days=2), await town.scope("赵丽")
    books: dict[Kind, bytes] = {
        "deeds": table(DEEDS, [day, "张桂兰", "3栋", "调解邻里纠纷", 10, "李秀英", "好事"]),
        "hours": table(HOURS, [day, "站点值守", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"]),
    }
    for kind, content in books.items():
        first = await import_file(admin, kind, "a.csv", content)
        assert (first.created, [error.code for error in first.errors]) == (1, [])
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE person_id = $1", town.people["张桂兰"]) == 1
    await twin(town, owner, points=0)
    await merged(town, TWIN, "张桂兰")
    for kind, content in books.items():
        again = await import_file(admin, kind, "a.csv", content)
        assert (again.outcome, again.created, [error.code for error in again.errors]) == ("unchanged", 0, [])
    await clean(town, owner)
