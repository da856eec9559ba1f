"""The list of messages: by day, what waits on top, routine credits in one line, and a link that answers from each."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matrix.rounds import PEOPLE, Round, build
from tests.support.matters import matters_ground
from tests.support.messages import end_quiet_hours
from tests.support.shop import browser
from tests.support.switches import switch_on
from tests.support.town import Town
from timebank.core import clock
from timebank.core.capability import capabilities, message_kind
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.http.callers import SESSION_COOKIE
from timebank.people.messages import Notification, notify, notify_many

# The sentences that stand in other sentences; every other one, but for entries and notes, is a message.
PARTS = {
    "reason", "community", "field.name", "field.sex", "field.born_on", "field.relation", "field.identity",
    "field.phone", "field.address", "field.head_name", "field.publishes_name", "also_held", "held_role",
    "outcome.restored", "outcome.reversal_stays", "outcome.notice_goes_on", "waits_for_review", "not_counted",
    "taken.nothing", "taken.points", "taken.owed", "taken.lapsed", "not_counted.too_short", "not_counted.attendance",
    "outcome.record_rejected", "volunteering", "deed_owed", "deed_lapsed", "outcome.deed_rejected",
    "class_ending_lost", "class_ending_refund", "class_ending_refund.until", "refunded.all", "refunded.part",
    "refunded.until", "refunded.repaid", "course_changed_teacher", "course_changed_station", "course_changed_end",
    "course_over", "course_stops", "course_stops.because", "lesson_clashes", "note", "shift_day_off",
    "not_counted.paid",
}  # fmt: skip
ROW = re.compile(r'<a class="row" href="([^"]+)">.*?<span class="row-what">(.*?)</span>', re.DOTALL)
MESSAGES = [
    kind for one in capabilities() for kind in one.sentences
    if not kind.startswith(("entry.", "note.")) and kind not in PARTS
]  # fmt: skip


def test_every_kind_of_message_says_where_it_leads() -> None:
    assert [kind for kind in MESSAGES if message_kind(kind) is None] == []
    declared = [kind for one in capabilities() for kind in one.messages]
    worded = [kind for one in capabilities() for kind in one.sentences]
    assert [kind for kind in declared if not any(w == kind or w.startswith(f"{kind}.") for w in worded)] == []
    assert len(declared) == len(set(declared))


def test_what_is_summed_or_runs_out_is_a_value_of_each_sentence() -> None:
    """A fold without its amount would show no sum, and a limit without its day would never end."""
    for one in capabilities():
        for kind, sentence in one.sentences.items():
            declared = message_kind(kind) if kind in MESSAGES else None
            for value in (declared.folds, declared.until) if declared else ():
                assert not value or re.search(rf"{{{value}[:}}]", sentence), f"{kind} has no {value}"


def _values(sentence: str) -> dict[str, Any]:
    """A value for each place of a sentence, of the type that its format words."""
    now, today = clock.now(), clock.local_day()
    tomorrow = today + timedelta(days=1)
    of = {
        "minutes": 90, "points": 15, "day": str(tomorrow), "at": now.isoformat(), "sentences": [], "clauses": [],
        "moment": (now + timedelta(hours=20)).isoformat(), "hours": "08:00 20:00", "word": "已收到",
        "span": [now.isoformat(), (now + timedelta(hours=1)).isoformat()],
    }  # fmt: skip
    return {name: of[spec] if spec else 3 for name, spec in re.findall(r"{(\w+):?(\w*)}", sentence)}


SUBJECTS = {
    "/visits/": "visit", "/visits/records/": "record", "/deeds/": "deed", "/redemptions/": "redemption",
    "/classes/bookings/": "booking", "/classes/": "course", "/statement/": "own entry", "/admin/imports/": "run",
    "/admin/inbox/decisions/": "mass decision", "/matters/": "matter",
}  # fmt: skip
"""The object of the round for the id of each address."""


def _reader(kind: str, leads: str) -> str:
    if leads.startswith("/admin"):
        return "admin"
    return "guardian" if leads.startswith(("/classes", "/family")) else "owner"


async def _all_kinds_sent(made: Round) -> dict[str, set[str]]:
    """Send a message of every kind to somebody whom it concerns; the words of each reader's messages."""
    sent: dict[str, set[str]] = {}
    for one in capabilities():
        for kind, sentence in one.sentences.items():
            declared = message_kind(kind) if kind in MESSAGES else None
            if declared is None:
                continue
            subject = next((s for start, s in SUBJECTS.items() if declared.leads == start + "{id}"), None)
            assert subject or "{id}" not in declared.leads, f"no object for {declared.leads}"
            reader, says = _reader(kind, declared.leads), Phrase(kind, _values(sentence))
            name = PEOPLE[reader]
            about = UUID(made.objects[subject]) if subject else None
            to_send = [
                Notification(made.town.people[name], says, f"walk:{kind}:{n}", row)
                for n, row in enumerate([about, None])
            ]
            await notify_many(Scope.of_system(made.town.home[name]), to_send, urgent=True)
            sent.setdefault(reader, set()).add(says.text())
    return sent


async def test_the_link_of_each_kind_answers_its_reader(
    owner: asyncpg.Connection, client: httpx.AsyncClient, town: Town
) -> None:
    made = await build(owner, client, town)
    ground = await matters_ground(town, owner)
    await switch_on(owner, town.community, "units", "teams")
    made.objects["matter"] = str((await ground.open(PEOPLE["owner"])).id)
    sent = await _all_kinds_sent(made)
    await end_quiet_hours(owner)
    for reader, words in sent.items():
        by = {"Cookie": f"{SESSION_COOKIE}={await town.token(PEOPLE[reader])}"}
        links, path = dict[str, set[str]](), "/messages"
        while path:
            page = await client.get(path, headers=by)
            for href, text in ROW.findall(page.text):
                links.setdefault(unescape(text), set()).add(unescape(href))
            found = re.search(r'href="(/messages\?cursor=[^"]+)"', page.text)
            path = unescape(found[1]) if found else ""
        assert words <= set(links), [text for text in words if text not in links]
        for href in sorted({href for text in words for href in links[text]}):
            answer = await client.get(href, headers=by, follow_redirects=True)
            assert answer.status_code == 200, f"{reader} {href}: {answer.status_code}"


# ---------------------------------------------------------------------------------------------------- on the page


async def _credit(town: Town, name: str, n: int, points: int) -> None:
    await notify(
        town.system(), town.people[name], "record_credited.several", f"c:{n}", urgent=True, times=2, minutes=60,
        points=points,
    )  # fmt: skip


async def test_routine_credits_one_after_the_other_are_one_line_with_their_number_and_sum(
    client: httpx.AsyncClient, town: Town
) -> None:
    for n, points in enumerate((10, 20, 36)):
        with clock.at(clock.now() - timedelta(days=3 - n)):
            await _credit(town, "李秀英", n, points)
    await notify(town.system(), town.people["李秀英"], "card.given", "card", urgent=True)
    page = await (await browser(client, town, "李秀英")).see("/messages")
    folded = page[page.index("<details><summary") : page.index("</details></li>")]
    assert "记了 3 次积分" in folded
    assert "+66 分" in folded
    assert folded.count("公示期满") + folded.count("已核对") == 3
    assert "服务卡" not in folded
    assert "服务卡" in page


async def test_one_credit_alone_stands_by_itself(client: httpx.AsyncClient, town: Town) -> None:
    await _credit(town, "李秀英", 1, 10)
    page = await (await browser(client, town, "李秀英")).see("/messages")
    assert "记了" not in page
    assert "积分 +10" in page


async def test_messages_of_two_days_stand_under_two_days(client: httpx.AsyncClient, town: Town) -> None:
    with clock.at(clock.now() - timedelta(days=1)):
        await _credit(town, "李秀英", 1, 10)
        await notify(town.system(), town.people["李秀英"], "card.given", "card", urgent=True)
    await _credit(town, "李秀英", 2, 20)
    page = await (await browser(client, town, "李秀英")).see("/messages")
    assert page.index("<h2>今天</h2>") < page.index("+20") < page.index("<h2>昨天</h2>") < page.index("+10")


@pytest.mark.parametrize(("ahead", "on_top"), [(3, True), (0, True), (-1, False)])
async def test_what_expires_stands_on_top_until_its_day_is_over(
    client: httpx.AsyncClient, town: Town, ahead: int, on_top: bool
) -> None:
    today = clock.local_day()
    await notify(
        town.system(), town.people["李秀英"], "points_expiring", "e", urgent=True, points=30,
        day=today + timedelta(days=ahead), held=[],
    )  # fmt: skip
    await _credit(town, "李秀英", 1, 10)
    tab = await browser(client, town, "李秀英")
    page = await tab.see("/messages")
    assert ("等您处理" in page) is on_top
    assert page.count("30 积分") == 1
    assert page.index("30 积分") < page.index("+10") if on_top else page.index("+10") < page.index("30 积分")
    await tab.send("/messages/read")
    assert "等您处理" not in await tab.see("/messages")


async def test_the_panel_is_linked_to_for_its_readers_only(client: httpx.AsyncClient, town: Town) -> None:
    for name in ("李秀英", "赵丽"):
        await notify(town.system(), town.people[name], "change_waits", "w", urgent=True, place="凤凰社区", count=2)
    page = await (await browser(client, town, "李秀英")).see("/messages")
    assert "/admin" not in page[page.index("<main") :]
    page = await (await browser(client, town, "赵丽")).see("/messages")
    assert 'href="/admin/agreements"' in page
