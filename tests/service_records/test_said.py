"""What the program says of a record or a deed reads in the reader's language; rows of before keep their text."""

import re
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.imports.kinds.test_day_only import LOG
from tests.imports.kinds.test_imports import DEEDS, HOURS, take_in
from tests.service_records.test_corrected_ends import corrected, forgotten
from tests.support.presence import body, count, later, nine_o_clock, record_id_of, station_code
from tests.support.shop import API, browser
from tests.support.town import Town
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.core import clock
from timebank.core.wording import note_in_words, phrase
from timebank.presence.forgotten import close_forgotten

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
ENGLISH = {"Accept-Language": "en"}


async def read(client: httpx.AsyncClient, town: Town, name: str, path: str, language: dict[str, str]) -> Any:
    answer = await client.get(f"{API}{path}", headers=await town.sign_in(name) | language)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_visit_that_does_not_count_says_why_in_the_reader_s_language(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await forgotten(town, owner)
    found = await corrected(town, owner, 3)
    here = "Here for 3 min, less than 5 min: it does not count. 问过本人"
    now = "到站 3 分钟，不足 5 分钟，不计时长。问过本人"
    assert found.review_note == now
    for language, text in ((ENGLISH, here), ({}, now)):
        record = await read(client, town, "张桂兰", f"/service-records/{found.id}", language)
        (listed,) = (await read(client, town, "赵丽", "/service-records?status=rejected", language))["items"]
        (visit,) = (await read(client, town, "张桂兰", "/visits", language))["items"]
        assert {record["review_note"], listed["review_note"], visit["review_note"]} == {text}
        for name, path in (("张桂兰", f"/visits/{found.visit_id}"), ("赵丽", f"/admin/reviews/{found.id}")):
            reader = await browser(client, town, name)
            assert text in (await client.get(path, headers=reader.headers | language)).text, path
    assert await count(owner, "service_record", "review_note ~ '不计时长'") == 0
    assert await count(owner, "audit", "reason ~ '不计时长'") == 0


async def test_who_checks_out_of_a_short_shift_is_told_why_in_the_own_language(
    town: Town, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    with clock.at(begin - timedelta(days=1)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=120), 5)
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
        await shifts.sign_up(await town.scope("张桂兰"), shift.id)
    headers = await town.sign_in("张桂兰") | ENGLISH
    with clock.at(begin):
        came = await client.post(f"{API}/checkins", json=body(station_code(town)), headers=headers)
        assert came.json()["status"] == "ok", came.text
    with later(begin, 71):
        out = (await client.post(f"{API}/checkins", json=body(station_code(town)), headers=headers)).json()
    assert out["texts"] == ["On duty for 1 h 11 min, less than 60 % of the 2 h planned: it does not count."]
    visits = (await read(client, town, "张桂兰", "/visits", ENGLISH))["items"]
    assert [visit["review_note"] for visit in visits] == out["texts"]


async def test_hours_and_deeds_of_a_sheet_say_where_they_are_from_in_the_reader_s_language(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    day, phone = clock.local_day() - timedelta(days=3), town.phones["张桂兰"]
    await take_in(
        town, "hours", HOURS, [day, "站点值守", "暖蜂驿站", "张桂兰", phone, "06:00", "08:00"],
        [day, "站点值守", "", "张桂兰", phone, "09:00", "10:00"],
    )  # fmt: skip
    await take_in(town, "hours", LOG, [day.isoformat(), "张桂兰", "值守", "1.5"])
    await take_in(town, "deeds", DEEDS, [day, "李秀英", "", "楼道卫生巡查", 2, "王建国", ""])
    english = [r["reason"] for r in (await read(client, town, "赵丽", "/service-records", ENGLISH))["items"]]
    chinese = [r["reason"] for r in (await read(client, town, "赵丽", "/service-records", {}))["items"]]
    data = re.compile("暖蜂驿站|楼道卫生巡查")
    assert english
    assert all(text.startswith("Entered from the sign-in sheet hours.csv") for text in english)
    assert not any(CHINESE.search(data.sub("", text)) for text in english)
    assert all(text.startswith("纸质签到表补录：hours.csv") for text in chinese)
    (deed,) = (await read(client, town, "赵丽", "/deeds", ENGLISH))["items"]
    assert deed["note"] == "楼道卫生巡查 (from the book deeds.csv)"
    (deed,) = (await read(client, town, "赵丽", "/deeds", {}))["items"]
    assert deed["note"] == "楼道卫生巡查（台账补录：deeds.csv）"
    assert (await read(client, town, "赵丽", f"/deeds/{deed['id']}", ENGLISH))["note"].endswith("deeds.csv)")
    page = await client.get(f"/admin/deeds/{deed['id']}", headers=(await browser(client, town, "赵丽")).headers)
    assert "楼道卫生巡查（台账补录：deeds.csv）" in page.text
    assert await count(owner, "deed", "note <> ''") == 0
    assert await count(owner, "service_record", "reason IS NOT NULL") == 0


async def test_a_record_of_before_keeps_its_text_in_every_language(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await forgotten(town, owner)
    await owner.execute("UPDATE service_record SET status = 'rejected', review_note = '到站 3 分钟，不计时长。'")
    record = await record_id_of(owner, town, "张桂兰")
    for language in (ENGLISH, {}):
        found = await read(client, town, "张桂兰", f"/service-records/{record}", language)
        assert found["review_note"] == "到站 3 分钟，不计时长。"
    assert await close_forgotten(town.system()) == 0


@pytest.mark.parametrize(
    ("stored", "written", "words"),
    [
        (None, None, (None, None)), (None, "因病", ("因病", "因病")),
        (phrase("note.hours", file="a.csv"), None, ("纸质签到表补录：a.csv", "Entered from the sign-in sheet a.csv")),
        (phrase("note.hours", file="a.csv"), "替班",
         ("纸质签到表补录：a.csv；替班", "Entered from the sign-in sheet a.csv; 替班")),
        (phrase("entry.of_tomorrow", file="a.csv"), "替班", ("替班", "替班")),
    ],
)  # fmt: skip
def test_what_the_program_says_stands_before_what_a_person_wrote(
    stored: Any, written: str | None, words: tuple[str | None, str | None]
) -> None:
    kept = stored.stored() if stored else None
    assert (note_in_words(kept, written), note_in_words(kept, written, "en")) == words
