"""Each constraint of the database has an error class, or a reason why no input can violate it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, TimebankError, Unexpected

# Why no input can violate a constraint without an error class. A new constraint gets a class, or a reason here.
MADE = "the id is made by the application"
LOOKED_UP = "the verb looks the row up in the caller's community before it writes; rows of this kind are never deleted"
LOCKED = "the verb holds the row's lock, or has found it in the caller's community; it leaves only with its own rows"
KIND = "the word is the code's own, or one of an enumeration in the schema"
BOUND = "the schema's bounds, or the verb itself, refuse the number first"
UPSERT = "written with ON CONFLICT"
GUARDED = "a guarded update or a count under the row's lock refuses first"
LEDGER = "the ledger's functions compute it under the owner's lock and answer a verdict instead"

REASONS: dict[str, str] = {
    "account_bucket": LEDGER, "account_currency": LEDGER, "account_not_negative": LEDGER, "account_owner_kind": LEDGER,
    "account_stored_balance": LEDGER, "account_unique": LEDGER, "account_grace": LEDGER,
    "area_kind": KIND, "area_parent": LOCKED,
    "booking_booked_for": "who and why are written together", "booking_two_hands": "the verb refuses whoever booked it",
    "booking_hold": "status and hold are written together", "booking_status": KIND, "booking_child": LOCKED,
    "booking_lesson": LOOKED_UP,
    "card_person": LOCKED, "card_epoch_unique": "the person's row is locked while the next epoch is counted",
    "claim_station": "only a station's own signed code makes a claim",
    "code_reading_pkey": UPSERT, "code_reading_station": LOOKED_UP,
    "good_price_pkey": UPSERT, "good_price_points": BOUND, "good_price_good": LOOKED_UP,
    "class_payment_account": LEDGER, "class_payment_points": LEDGER, "class_payment_purchase": LEDGER,
    "class_payment_returned": LEDGER, "class_payment_pkey": LEDGER, "class_purchase_counts": LEDGER,
    "class_purchase_minutes_left": LEDGER, "class_purchase_points_left": LEDGER, "class_purchase_moved_from": LOCKED,
    "class_purchase_minutes": BOUND, "class_purchase_points": BOUND, "class_purchase_child": LOCKED,
    "class_purchase_course": LOOKED_UP, "class_purchase_guardian": LOCKED,
    "counter_confirmation_decided": "status and time are written together", "counter_confirmation_good": LOOKED_UP,
    "counter_confirmation_kind": KIND, "counter_confirmation_person": LOCKED, "counter_confirmation_quantity": BOUND,
    "counter_confirmation_station": LOOKED_UP, "counter_confirmation_status": KIND,
    "counter_sign_on_device": "only a device's own token signs on to it",
    "counter_sign_on_one": "the one before is ended first; of two at once one is run again",
    "counter_sign_on_person": "the session has just told this record of its login",
    "course_points": BOUND, "course_station": LOOKED_UP,
    "day_total_pkey": UPSERT, "day_total_currency": LEDGER,
    "debt_currency": LEDGER, "debt_amount": LEDGER, "debt_repaid": LEDGER, "debt_reverses_once": LEDGER,
    "deed_points": BOUND, "deed_status": KIND,
    "deed_withdrawn": "status and times are written together",
    "deed_area": LOCKED, "deed_person": LOCKED, "deed_rule": LOOKED_UP,
    "deed_witness": LOCKED, "deed_source": "kind and id are written together",
    "deed_source_once": "asked under the person's lock",
    "device_kind": KIND, "device_station": LOOKED_UP, "device_token_unique": "the token is 256 random bits",
    "expiry_announcement_amount": LEDGER, "expiry_announcement_currency": LEDGER, "expiry_announcement_pkey": UPSERT,
    "known_browser_login_id_fkey": "only a login that has just signed in is given one; logins are not deleted",
    "books_closed_pkey": UPSERT, "installation_one": "one statement writes the only row",
    "installation_pkey": UPSERT,
    "good_monthly_limit": BOUND, "good_points": BOUND, "good_photo": "the photo is written in the same transaction",
    "guardianship_not_own": "the verb refuses first: nobody is adult and child", "guardianship_child": LOCKED,
    "guardianship_guardian": LOCKED,
    "household_area": LOCKED,
    "household_month_not_negative": "only what this household has counted is taken off again",
    "household_month_pkey": UPSERT,
    "idempotent_request_pkey": UPSERT,
    "import_draft_kind": KIND, "import_row_run": "run and rows are written together",
    "import_row_pkey": "rows known to an earlier import are left out; imports of a community wait for each other",
    "import_word_word_kind": KIND, "import_word_pkey": UPSERT,
    "import_run_kind": KIND, "import_work_verb": KIND, "import_work_run": "run and work are written together",
    "import_work_proof": "login and proof are written together",
    "lesson_minutes": BOUND, "lesson_order": BOUND, "lesson_seats": GUARDED, "lesson_course": LOOKED_UP,
    "login_phone_unique": UPSERT,
    "month_service_month_check": "the first day of a month, from the worker", "month_service_kind_check": KIND,
    "community_figures_ahead": "both lists are written together", "good_cost_fen_check": BOUND,
    "export_day_rows_check": "a count of rows",
    "mass_decision_decision": KIND, "mass_decision_status": KIND,
    "mass_decision_stopped": "status and code are written together",
    "mass_decision_ended": "status and time are written together",
    "mass_decision_item_outcome": KIND, "mass_decision_item_decision": "decision and items are written together",
    "mass_decision_item_refusal": "outcome and code are written together",
    "mass_decision_pkey": "a new id", "mass_decision_item_pkey": "each chosen row is written once",
    "membership_login_id_fkey": LOCKED, "membership_pkey": UPSERT,
    "membership_question_login_id_fkey": LOCKED,
    "message_person": LOCKED, "message_key_unique": UPSERT,
    "message_in_words": "one function writes messages, always as sentence and values", "message_said_size": BOUND,
    "migration_pkey": "written by Piccolo's migrations alone",
    "objection_person": LOCKED,
    "one_time_code_login_id_fkey": LOCKED, "one_time_code_given_in_fkey": LOOKED_UP, "one_time_code_proof": KIND,
    "outbox_ended": GUARDED, "outbox_key_unique": UPSERT,
    "outbox_one_way": "the code's own verbs name another community", "outbox_to_community_fkey": LOOKED_UP,
    "outbox_from_community_fkey": LOOKED_UP,
    "person_sex": KIND, "person_status": KIND, "person_household": "the household is saved in the same transaction",
    "photo_media_type": "the picture is encoded anew by the application", "photo_side": "a constant of the application",
    "attachment_noun": KIND, "attachment_stage": KIND, "attachment_photo": GUARDED, "attachment_photo_once": GUARDED,
    "attachment_published": "time and person are written together",
    "pickup_noun_once": UPSERT, "pickup_pkey": UPSERT, "policy_pkey": UPSERT,
    "redemption_reserved_for": "who and why are written together",
    "redemption_two_hands": "the verb refuses whoever reserved it",
    "redemption_ended": "status and times are written together",
    "redemption_returned": "status and times are written together",
    "redemption_settled": "status and entry are written together",
    "redemption_points": BOUND, "redemption_quantity": BOUND, "redemption_status": KIND, "redemption_person": LOCKED,
    "redemption_stock": LOOKED_UP,
    "region_kind": KIND, "region_parent_id_fkey": LOOKED_UP,
    "role_grant_one_place": "the schema takes one place of three", "role_grant_role": KIND, "role_grant_area": LOCKED,
    "role_grant_person": LOCKED, "role_grant_region_id_fkey": LOOKED_UP, "role_grant_station": LOOKED_UP,
    "rule_amount": "the verb refuses a rule without its one worth", "rule_cap_period": KIND, "rule_kind": KIND,
    "rule_notice_days": BOUND, "rule_of_deeds": "the verb refuses them for a rule of service",
    "scan_status": KIND, "scan_pkey": UPSERT,
    "service_record_credited": "status and minutes are written together", "service_record_kind": KIND,
    "service_record_withdrawn": "status and times are written together",
    "station_hours": "the schema takes no 24:00",
    "service_record_status": KIND, "service_record_person": LOCKED,
    "service_record_source": "kind and id are written together",
    "service_record_source_once": "asked under the person's lock",
    "service_record_visit": "visit and record are written together",
    "service_record_visit_once": "a visit is ended once, under its person's lock",
    "session_device": KIND,
    "session_login_id_fkey": LOCKED, "session_token_unique": "the token is 256 random bits",
    "shift_activity": LOOKED_UP, "shift_seats": GUARDED,
    "sign_up_person": LOCKED, "sign_up_shift": LOOKED_UP, "sign_up_once": "asked under the shift's lock",
    "spending_rest_cause": KIND, "spending_rest_login_id_fkey": LOCKED, "spending_rest_from_login_fkey": LOCKED,
    "spending_rest_person": LOCKED,
    "person_merged": LOCKED, "person_merge_kept": LOCKED, "person_merge_merged": LOCKED,
    "person_merge_row_merge": LOCKED, "person_merge_row_pkey": "each row is led once by one merge",
    "stock_not_negative": GUARDED, "stock_good": LOOKED_UP, "stock_station": LOOKED_UP, "stock_pkey": UPSERT,
    "stock_move_change": "a change of nothing is not written", "stock_move_reason": KIND,
    "stock_move_stock": "the shelf is begun in the same transaction",
    "throttle_pkey": UPSERT,
    "transfer_credit_account": LEDGER, "transfer_debit_account": LEDGER, "transfer_currency": LEDGER,
    "transfer_amount": LEDGER, "transfer_kind": LEDGER, "transfer_two_accounts": LEDGER,
    "transfer_memo": "a memo has a kind or is a text", "transfer_memo_values": "values are cut to length",
    "transfer_closed_once": LEDGER, "transfer_reversed_once": LEDGER,
    "transfer_key_unique": "the key is looked up under the owner's lock; of two owners at once one is run again",
    "waiting_change_needs": KIND, "waiting_change_status": KIND, "waiting_change_one_open": UPSERT,
    "waiting_change_decided": "status and time are written together", "household_move_person": LOCKED,
    "deed_witness_answer": KIND, "deed_witness_answered": "answer and time are written together",
    "visit_one_open": "the open visit is read under the person's lock, and a second check-in is answered by it",
    "visit_in_by": KIND, "visit_out_by": KIND, "visit_status": KIND,
    "workday_county": "the county is written with its source", "workday_county_id_fkey": LOOKED_UP,
    "workday_estimated": "estimate and source are written together", "workday_once": UPSERT, "workday_source": KIND,
    "visit_order": "a scan before the check-in is refused", "visit_out": "status and time are written together",
    "visit_activity": LOOKED_UP, "visit_person": LOCKED, "visit_shift": LOOKED_UP, "visit_station": LOOKED_UP,
}  # fmt: skip

TOGETHER = "written together by the verb"
OF_SERVICE: dict[str, str] = {
    "unit_kind": KIND, "unit_county_id_fkey": LOOKED_UP,
    "unit_link_kind": KIND, "unit_link_unit_id_fkey": LOOKED_UP, "unit_link_term": BOUND,
    "affiliation_person": LOCKED, "affiliation_unit_id_fkey": LOOKED_UP, "affiliation_term": BOUND,
    "team_kind": KIND, "team_unit_id_fkey": LOOKED_UP,
    "team_member_once": UPSERT, "team_member_team": LOOKED_UP, "team_member_person": LOCKED,
    "team_member_leader": TOGETHER,
    "skill_kind": KIND, "person_skill_once": UPSERT, "person_skill_person": LOCKED, "person_skill_skill": LOOKED_UP,
    "person_skill_proof": TOGETHER, "free_time_pkey": UPSERT, "free_time_weekday": BOUND, "free_time_part": KIND,
    "free_time_person": LOCKED,
    "role_grant_unit": "the schema asks for a unit with this role alone", "role_grant_unit_id_fkey": LOOKED_UP,
    "matter_category_kinds": KIND, "matter_category_due_days": BOUND, "matter_category_due_counts": KIND,
    "matter_category_level": KIND, "matter_category_minutes": BOUND, "matter_category_team": LOOKED_UP,
    "matter_category_activity": LOOKED_UP, "matter_category_unit_id_fkey": LOOKED_UP,
    "matter_kind": KIND, "matter_channel": KIND, "matter_status": KIND, "matter_level": KIND, "matter_open_to": KIND,
    "matter_people_wanted": BOUND, "matter_value": BOUND, "matter_verified": KIND, "matter_refused_because": KIND,
    "matter_category_known": LOOKED_UP, "matter_area": LOOKED_UP, "matter_reporter": LOCKED, "matter_for": LOCKED,
    "matter_assignee": LOCKED, "matter_team": LOOKED_UP, "matter_unit_id_fkey": LOOKED_UP, "matter_merged": LOCKED,
    "matter_times": TOGETHER, "matter_done": TOGETHER, "matter_done_days": TOGETHER, "matter_closed": TOGETHER,
    "matter_refused": TOGETHER, "matter_merged_once": TOGETHER, "matter_taken": TOGETHER, "matter_wish": BOUND,
    "matter_verified_by": TOGETHER, "matter_postponed": TOGETHER, "matter_returns": "counted by the verb",
    "matter_number_unique": "a free number is looked for; of two alike one is run again",
    "matter_nonce_unique": "the stored report is answered first; of two at once one is run again",
    "matter_tally_subject": KIND, "matter_tally_order": "counted by one statement",
    "matter_tally_week_monday": "counted by one statement",
    "matter_step_by_kind": KIND, "matter_step_matter": LOCKED,
    "matter_helper_once": UPSERT, "matter_helper_matter": LOCKED, "matter_helper_person": LOCKED,
    "matter_helper_times": BOUND,
    "matter_follow_once": UPSERT, "matter_follow_kind": KIND, "matter_follow_matter": LOCKED,
    "matter_follow_person": LOCKED,
    "rating_by_kind": KIND, "rating_how": KIND, "rating_stars": BOUND, "rating_matter": LOCKED,
    "rating_once": "asked under the matter's lock",
    "spot_check_noun": KIND, "spot_check_found": KIND, "spot_check_once": UPSERT, "spot_check_done": TOGETHER,
}  # fmt: skip
OF_WISHES: dict[str, str] = {
    "wish_gift_value": BOUND, "wish_gift_matter": LOCKED, "wish_gift_station": LOOKED_UP, "wish_gift_ended": TOGETHER,
    "wish_gift_waiting": "the status is asked under the matter's lock",
    "matter_moved": TOGETHER, "matter_moved_to_fkey": LOOKED_UP, "matter_moved_from_fkey": LOOKED_UP,
    "matter_first": TOGETHER, "matter_first_from_fkey": LOOKED_UP, "matter_first_once": UPSERT,
}  # fmt: skip
OF_PATTERNS: dict[str, str] = {
    "station_kind": KIND, "shift_pattern_weekdays": BOUND, "shift_pattern_days": KIND,
    "shift_pattern_activity": LOOKED_UP, "shift_pattern_id": LOOKED_UP,
    "shift_pattern_day": "what is written already is read under the pattern's lock",
    "pattern_break_once": "asked under the pattern's lock", "pattern_break_pattern": LOOKED_UP,
    "sign_up_offered": TOGETHER, "standing_once": UPSERT, "standing_pattern": LOOKED_UP, "standing_person": LOCKED,
    "standing_weekday": BOUND,
}  # fmt: skip
REASONS |= OF_SERVICE | OF_WISHES | OF_PATTERNS

_EVERY = """
SELECT c.conname::text AS name, c.contype::text AS type, c.conrelid::regclass::text AS of FROM pg_constraint c
WHERE c.connamespace = 'public'::regnamespace AND c.contype <> 'n'
UNION ALL
SELECT i.indexrelid::regclass::text, 'u', i.indrelid::regclass::text FROM pg_index i
JOIN pg_class k ON k.oid = i.indexrelid
WHERE i.indisunique AND k.relnamespace = 'public'::regnamespace
AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conindid = i.indexrelid AND p.contype IN ('p', 'u', 'x'))
"""


def reason_for(name: str, of: str) -> str | None:
    """Why no input can violate a constraint; foreign keys to the community and primary keys have one reason each."""
    if name == f"{of}_community_id_fkey":
        return "the scope's community is one that the caller's records or roles name"
    return REASONS.get(name) or (MADE if name == f"{of}_pkey" else None)


@pytest.mark.usefixtures("app")  # imports the whole service, so that every error class is known
async def test_each_constraint_is_said_to_people_or_cannot_be_violated_by_them(owner: asyncpg.Connection) -> None:
    found = {row["name"]: row["of"] for row in await owner.fetch(_EVERY)}
    said = set(TimebankError.by_constraint)
    assert said - found.keys() == set(), "error classes name constraints that are not there"
    assert REASONS.keys() - found.keys() == set(), "reasons for constraints that are not there"
    assert said & REASONS.keys() == set(), "said to people, so an input can violate it"
    assert [name for name, of in found.items() if name not in said and reason_for(name, of) is None] == []


@pytest.fixture
async def bare(owner: asyncpg.Connection) -> AsyncIterator[str]:
    """A table whose constraints have no error class."""
    await owner.execute(
        "CREATE TABLE bare (number integer CONSTRAINT bare_pkey PRIMARY KEY CONSTRAINT bare_small CHECK (number < 10), "
        "other integer CONSTRAINT bare_other REFERENCES bare (number), word text NOT NULL DEFAULT ''); "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON bare TO timebank_app"
    )
    yield "bare"
    await owner.execute("DROP TABLE bare")


async def write(statement: str) -> None:
    async with transaction(None):
        await database.execute(statement)


async def test_a_double_key_without_a_class_is_a_conflict(pool: str, bare: str) -> None:
    await write("INSERT INTO bare VALUES (1)")
    with pytest.raises(Conflict):
        await write("INSERT INTO bare VALUES (1)")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("INSERT INTO bare VALUES (1, 9, '张桂兰')", "bare_other"),
        ("INSERT INTO bare VALUES (77, NULL, '张桂兰')", "bare_small"),
        ("INSERT INTO bare VALUES (1, NULL, NULL)", None),
    ],
)
async def test_any_other_constraint_without_a_class_is_our_fault_and_logged_by_name_alone(
    pool: str, bare: str, statement: str, named: str | None
) -> None:
    with capture_logs() as logs, pytest.raises(Unexpected):
        await write(statement)
    (line,) = [line for line in logs if line["event"] == "constraint"]
    assert line["log_level"] == "error"
    assert (line["constraint"], line["table"]) == (named, "bare")
    assert line["column"] == (None if named else "word")
    assert "张桂兰" not in str(logs)
    assert "77" not in str(logs)


@pytest.fixture
async def short_names(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """A constraint on stations that the application does not know."""
    await owner.execute("ALTER TABLE station ADD CONSTRAINT station_short CHECK (length(name) < 8) NOT VALID")
    yield
    await owner.execute("ALTER TABLE station DROP CONSTRAINT station_short")


async def test_our_fault_is_told_with_the_number_under_which_the_log_tells_more(
    town: Town, client: httpx.AsyncClient, short_names: None
) -> None:
    headers = await town.sign_in("赵丽")
    answer = await client.post("/api/v1/stations", json={"name": "一个名称长得写不下的驿站"}, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "internal_error")
    assert problem["request_id"]
    assert problem["request_id"] in problem["detail"]


async def test_what_was_deleted_between_the_look_and_the_write_is_looked_for_again(pool: str, bare: str) -> None:
    await write("INSERT INTO bare VALUES (1)")
    runs = 0

    @retried
    async def refer() -> str:
        nonlocal runs
        runs += 1
        async with transaction(None):
            if not await database.fetch_value("SELECT EXISTS (SELECT FROM bare WHERE number = 1)"):
                return "it is gone"
            if runs == 1:
                await by_another(pool, "DELETE FROM bare")
            await database.execute("INSERT INTO bare VALUES (2, 1)")
        return "written"

    assert await refer() == "it is gone"
    assert runs == 2


async def by_another(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def good_bodies(town: Town) -> dict[str, dict[str, object]]:
    """A valid body for each path whose body has ids, as an administrator or a guardian sends it."""
    person, child = str(town.people["刘洋"]), str(town.people["刘小雨"])
    station, area = str(town.stations["暖蜂驿站"]), str(town.areas["凤凰社区/第一网格/5栋/2单元"])
    today, now = clock.local_day(), clock.now()
    day = {
        "starts_at": (now + timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=1, hours=2)).isoformat(),
    }
    served = {
        "started_at": (now - timedelta(hours=2)).isoformat(), "ended_at": (now - timedelta(hours=1)).isoformat()
    }  # fmt: skip
    return {
        "/areas": {"kind": "building", "name": "9栋", "parent_id": str(town.areas["凤凰社区/第一网格"])},
        "/people": {"name": "郑新", "area_id": area},
        f"/people/{child}/guardians": {"guardian_id": str(town.people["周敏"]), "relation": "姨妈"},
        "/roles": {"person_id": person, "role": "unit_head", "area_id": area},
        "/stations": {"name": "新驿站", "area_id": str(town.areas["凤凰社区/第一网格"])},
        "/activities": {"name": "助餐", "rule_code": "service", "station_id": station},
        f"/activities/{town.activities['站点值守']}/shifts": {"station_id": station, "seats": 3, **day},
        "/service-records": {
            "person_id": person, "activity_id": str(town.activities["站点值守"]), "station_id": station,
            "reason": "忘带手机", **served,
        },
        "/deeds": {
            "person_id": person, "rule_code": "mediation", "area_id": area, "occurred_on": str(today), "note": "调解",
            "witness_id": str(town.people["陈明"]),
        },
        f"/goods/{town.goods['香皂']}/receipts": {"station_id": station, "quantity": 3},
        f"/goods/{town.goods['香皂']}/counts": {"station_id": station, "counted": 60},
        "/courses": {
            "title": "少儿围棋", "age_min": 6, "age_max": 14, "starts_on": str(today), "ends_on": str(today),
            "points_per_hour": 20, "teacher": "林老师", "station_id": station,
        },
        "/redemptions": {
            "person_id": person, "good_id": str(town.goods["香皂"]), "station_id": station, "quantity": 1
        },
        "/class-hours": {"person_id": person, "child_id": child, "course_id": str(town.course), "minutes": 60},
        "/bookings": {"lesson_id": str(town.lessons[0]), "child_id": child},
    }  # fmt: skip


async def test_an_id_that_is_nothing_here_is_refused_in_words_wherever_one_is_asked_for(
    town: Town, client: httpx.AsyncClient
) -> None:
    """The answer is neither a 500 nor a conflict: the id is not found, or not one of the choices."""
    await town.give_points("刘洋", 500)
    admin, guardian = await town.sign_in("赵丽"), await town.sign_in("刘洋")
    elsewhere = {
        "person_id": town.people["何静"], "child_id": town.people["何静"], "guardian_id": town.people["马涛"],
        "witness_id": town.people["马涛"], "station_id": town.stations["龙泉驿站"],
        "area_id": town.areas["龙泉社区/第一网格"], "parent_id": town.areas["龙泉社区/第一网格"],
        "activity_id": town.activities["龙泉社区/站点值守"],
    }  # fmt: skip
    asked, wrong = 0, []
    for path, body in good_bodies(town).items():
        headers = guardian if path in ("/redemptions", "/class-hours", "/bookings") else admin
        for field in [name for name in body if name.endswith("_id")]:
            for unknown in {clock.new_id(), elsewhere.get(field, clock.new_id())}:
                sent = body | {field: str(unknown)}
                key = {"Idempotency-Key": str(clock.new_id())}
                answer = await client.post(f"/api/v1{path}", json=sent, headers=headers | key)
                asked += 1
                if answer.status_code not in (403, 404, 422):
                    wrong.append(f"{path} {field}: {answer.status_code} {answer.text[:200]}")
    assert wrong == []
    assert asked >= 50
    for path, body in good_bodies(town).items():
        headers = guardian if path in ("/redemptions", "/class-hours", "/bookings") else admin
        answer = await client.post(
            f"/api/v1{path}", json=body, headers=headers | {"Idempotency-Key": str(clock.new_id())}
        )
        assert answer.status_code in (200, 201), f"{path} {answer.text}"
