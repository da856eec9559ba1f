"""Why a visit earned nothing: every reason from its facts, and where a resident and an administrator read it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
import pytest

from tests.support.presence import later, nine_o_clock, scanned, served, station_code
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.wording import Phrase
from timebank.service_records.account.no_points import Judged, NoPoints, Stay, why_no_points
from timebank.service_records.account.words import SENTENCES, no_points_in_words

# 18 November 2026 in China (UTC+8): the station is open from 08:00 to 18:00.
NINE = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
NOON = NINE + timedelta(hours=3)
WEEK_LATER = NINE + timedelta(days=7)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def stay(left: float | None, *, came: float = 0, **more: Any) -> Stay:
    left_at = None if left is None else at(left)
    status = "open" if left is None else "closed"
    known: dict[str, Any] = {
        "status": status,
        "came_at": at(came),
        "left_at": left_at,
        "opens_at": time(8),
        "closes_at": time(18),
    }
    return Stay(**(known | more))


def judged(status: str, minutes: int = 60, **more: Any) -> Judged:
    known: dict[str, Any] = {"kind": "credit", "status": status, "minutes": minutes}
    return Judged(**(known | more))


def shift(begin: float, end: float) -> dict[str, Any]:
    return {"shift_begin": at(begin), "shift_end": at(end)}


def too_short(stayed: int, least: int) -> Phrase:
    return Phrase("not_counted.too_short", {"stayed": stayed, "least": least})


ATTENDANCE = Phrase("not_counted.attendance", {"stayed": 50, "planned": 120, "percent": 60})
CASES: list[tuple[str, Stay | None, Judged | None, datetime, str | None, dict[str, Any]]] = [
    ("still in", stay(None), None, NOON, "open", {"since": NINE}),
    ("still in at the minute of closing", stay(None), None, at(540), "open", {"since": NINE}),
    ("in after closing", stay(None), None, at(541), "open_too_long", {"since": NINE, "closing": at(540)}),
    ("in at a station that never closes", stay(None, opens_at=time(), closes_at=time()), None, at(700), "open", {}),
    ("in for more than twelve hours there", stay(None, opens_at=time(), closes_at=time()), None, at(721),
     "open_too_long", {"closing": at(720)}),
    ("cancelled", stay(90, status="void"), None, NOON, "void", {}),
    ("cancelled with a record", stay(90, status="void"), judged("approved", credited_points=9), NOON, "void", {}),
    ("paid duty", stay(120, paid=True), None, NOON, "paid", {"stayed": 120}),
    ("four minutes", stay(4), None, NOON, "too_short", {"stayed": 4, "least": 5}),
    ("seconds short of five minutes", stay(4.99), None, NOON, "too_short", {"stayed": 4}),
    ("no minute", stay(0), None, NOON, "too_short", {"stayed": 0}),
    ("before the door opened", stay(-65, came=-100), None, NOON, "outside_hours", {"hours": "08:00 18:00"}),
    ("mostly before the door opened", stay(-57, came=-100), None, NOON, "too_short_in_hours",
     {"stayed": 43, "inside": 3, "least": 5}),
    ("after closing", stay(600, came=545), None, WEEK_LATER, "outside_hours", {}),
    ("before the shift", stay(50, **shift(60, 180)), None, NOON, "outside_shift", {"begin": at(60), "end": at(180)}),
    ("after the shift", stay(300, came=200, **shift(60, 180)), None, NOON, "outside_shift", {}),
    ("three minutes of the shift", stay(63, **shift(60, 180)), None, NOON, "too_short_in_shift",
     {"stayed": 63, "inside": 3, "least": 5}),
    ("long enough by today's policy only", stay(30), None, NOON, "no_record", {"stayed": 30}),
    ("forgotten check-out", stay(540, status="needs_confirmation"), judged("pending", flags=["forgotten_check_out"]),
     NOON, "forgotten", {"closing": at(540)}),
    ("in review", stay(60), judged("pending", flags=["overlap", "long_day"]), NOON, "waits",
     {"flags": ["overlap", "long_day"]}),
    ("in review without a flag", stay(60), judged("pending"), NOON, "waits", {"flags": []}),
    ("an activity without a rule", stay(60), judged("pending", flags=["no_rule"]), NOON, "waits_no_rule", {}),
    ("without a rule and with a doubt", stay(60), judged("pending", flags=["overlap", "no_rule"]), NOON, "waits",
     {"flags": ["overlap", "no_rule"]}),
    ("entered by hand", None, judged("pending", kind="honour"), NOON, "waits_entered", {}),
    ("entered by hand, with a doubt", None, judged("pending", kind="honour", flags=["overlap"]), NOON, "waits", {}),
    ("published", None, judged("noticed", notice_until=WEEK_LATER), NOON, "noticed", {"until": WEEK_LATER}),
    ("published and objected to", None, judged("noticed", notice_until=WEEK_LATER, objected=True), NOON, "objected",
     {}),
    ("publication over", None, judged("noticed", notice_until=NOON), NOON, "notice_over", {}),
    ("too short after a late check-out", stay(3), judged("rejected", 3, why=too_short(3, 5)), NOON, "too_short",
     {"stayed": 3, "least": 5}),
    ("too short by an earlier policy", stay(8), judged("rejected", 8, why=too_short(8, 10)), NOON, "too_short",
     {"stayed": 8, "least": 10}),
    ("41 % of the shift", stay(50, **shift(0, 120)), judged("rejected", 50, why=ATTENDANCE), NOON, "attendance",
     {"reached": 41, "stayed": 50, "planned": 120, "percent": 60}),
    ("refused", stay(60), judged("rejected", note="不在现场"), NOON, "refused", {"reason": "不在现场"}),
    ("refused, unsaid", stay(60), judged("rejected"), NOON, "refused_unsaid", {}),
    ("withdrawn", None, judged("withdrawn", kind="honour"), NOON, "withdrawn", {}),
    ("reversed", stay(60), judged("reversed", note="记错了人", credited_points=10), NOON, "reversed",
     {"reason": "记错了人"}),
    ("reversed, unsaid", stay(60), judged("reversed", credited_points=10), NOON, "reversed_unsaid", {}),
    ("the day was full", stay(60), judged("approved", per_point=6), NOON, "day_full", {"stayed": 60}),
    ("the day filled up", stay(60), judged("approved", credited_minutes=4, per_point=6), NOON, "day_filled",
     {"stayed": 60, "credited": 4, "per_point": 6}),
    ("less than a point", stay(5), judged("approved", 5, credited_minutes=5, per_point=6), NOON, "below_point",
     {"credited": 5, "per_point": 6}),
    ("a debt took all", stay(60), judged("approved", credited_minutes=60, credited_points=10, repaid=10), NOON,
     "repaid", {"points": 10}),
    ("a debt took some", stay(60), judged("approved", credited_minutes=60, credited_points=10, repaid=4), NOON,
     "repaid_in_part", {"points": 10, "repaid": 4}),
    ("credited", stay(60), judged("approved", credited_minutes=60, credited_points=10, per_point=6), NOON, None, {}),
    ("credited up to the day's limit", stay(60), judged("approved", credited_minutes=30, credited_points=5), NOON,
     None, {}),
    ("neither visit nor record", None, None, NOON, None, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("visit", "record", "now", "kind", "values"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_every_reason_follows_from_its_facts(
    visit: Stay | None, record: Judged | None, now: datetime, kind: str | None, values: dict[str, Any]
) -> None:
    why = why_no_points(visit, record, least_minutes=5, now=now)
    assert (why.kind if why else None) == kind
    assert why is None or {name: why.values[name] for name in values} == values


def test_every_reason_has_a_case_and_a_sentence_in_both_languages_without_a_gap() -> None:
    found = [why_no_points(case[1], case[2], least_minutes=5, now=case[3]) for case in CASES]
    assert {why.kind for why in found if why} == set(SENTENCES)
    for why in found:
        if why is not None:
            told = no_points_in_words(why), no_points_in_words(why, "en")
            assert told[0] != told[1], why
            assert not any("—" in text or "{" in text for text in told), told


def test_the_sentence_gives_the_figures() -> None:
    why = why_no_points(stay(50), judged("rejected", 50, why=ATTENDANCE), least_minutes=5, now=NOON)
    assert why is not None
    assert no_points_in_words(why) == "计划 2 小时，到岗 50 分钟，只有 41%，不足 60%，不计入。"
    assert no_points_in_words(NoPoints("refused", {"reason": "{x} 不在"})) == "审核没有通过。原因：{x} 不在"


async def test_the_resident_the_program_and_the_panel_read_the_same_reason(
    town: Town, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock(2)
    await served(town, "张桂兰", 3, begin=begin)
    await served(town, "张桂兰", 90)
    visits = (await client.get("/api/v1/visits", headers=await town.sign_in("张桂兰"))).json()["items"]
    assert [visit["why_no_points"] for visit in visits] == [
        None, {"kind": "too_short", "text": "到站 3 分钟，不足 5 分钟，不计时长。"},
    ]  # fmt: skip
    reason = "到站 3 分钟，不足 5 分钟，不计时长。"
    own = await browser(client, town, "张桂兰")
    assert reason in await own.see("/visits")
    assert reason in await own.see(f"/visits/{visits[1]['id']}")
    assert reason not in await own.see(f"/visits/{visits[0]['id']}")
    panel = await browser(client, town, "赵丽")
    page = await panel.see(f"/admin/people/{town.people['张桂兰']}?part=services")
    assert page.count(reason) == 1
    assert "+15" in page


async def test_a_visit_that_is_open_says_so_in_the_header_and_in_the_list(
    town: Town, client: httpx.AsyncClient
) -> None:
    with clock.at(nine_o_clock()):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with later(nine_o_clock(), 30):
        page = await (await browser(client, town, "赵丽")).see(f"/admin/people/{town.people['张桂兰']}?part=services")
    assert "暖蜂驿站，09:00 起" in page
    assert "还在服务中" in page
