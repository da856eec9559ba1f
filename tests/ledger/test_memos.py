"""Why an entry was posted reads whole in the reader's language; entries of before keep their text."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from tests.classes.test_bookings import booked, give_minutes
from tests.classes.test_class_endings import day_closed, let_run_out
from tests.classes.test_class_refunds import another_course, bought
from tests.classes.test_undone_attendance import attended
from tests.conftest import DatabaseClock
from tests.deeds.test_deeds import MORNING, filed
from tests.expiry.test_expiry import LAST_DAY, NEW_YEAR, NOON, Days, expired_entry
from tests.merging.test_merging import TWIN, merged, twin
from tests.presence.test_undone_visits import left
from tests.service_records.test_service_records import entered
from tests.support.presence import later, nine_o_clock, record_id_of, served
from tests.support.shop import API, Browser, browser, key, reserve
from tests.support.town import Town
from timebank.agreements.schemas import Waiting
from timebank.classes import attendance, booking, changes, stopping
from timebank.classes.class_time.expiry_reversal import reverse_class_expiry
from timebank.classes.class_time.minute_moves import move_class_hours
from timebank.classes.class_time.refunds import refund
from timebank.classes.schemas import CourseChange, MoveIn, RefundIn
from timebank.classes.undone_attendance import undo_attendance
from timebank.core import clock, database
from timebank.core.capability import capabilities
from timebank.core.database import transaction
from timebank.core.errors import Unexpected
from timebank.core.locale import catalogue
from timebank.core.wording import VALUE_MAX, VALUES_MAX, phrase
from timebank.deeds.credit import credit_due_deeds, reverse_deed
from timebank.deeds.review import review_deed
from timebank.expiry.reversal import reverse_expiry
from timebank.ledger import posting
from timebank.ledger.donations import GIVEN, donate
from timebank.ledger.memos import Reasoned
from timebank.ledger.posting import Currency, Posting
from timebank.ledger.schemas import DonationIn
from timebank.merging.undoing import undo_merge
from timebank.overview.agreements import decide_change
from timebank.presence.undoing.visits import undo_check_out
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.review import review_record
from timebank.service_records.schemas import ReviewIn
from timebank.shop import cancelling, collection, returns

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
MEMOS = {kind for one in capabilities() for kind in one.sentences if kind.startswith("entry.")}
ENGLISH = {"Accept-Language": "en"}


@dataclass
class Here:
    """A town, and what is needed to make every kind of entry in it."""

    town: Town
    owner: asyncpg.Connection
    client: httpx.AsyncClient
    days: Days

    async def reserved(self, good: str = "香皂") -> tuple[UUID, str]:
        """A reservation of 张桂兰, with its code."""
        await self.town.credit_deed("张桂兰", 50)
        made = (await reserve(self.client, self.town, "张桂兰", good)).json()
        return UUID(made["id"]), made["code"]

    async def hours(self, minutes: int = 120) -> None:
        """Class hours of 刘小雨, bought by 刘洋."""
        await self.town.credit_deed("刘洋", 60)
        await bought(self.town, minutes)

    def child(self, **more: Any) -> dict[str, Any]:
        people = {"person_id": self.town.people["刘洋"], "child_id": self.town.people["刘小雨"]}
        return people | {"course_id": self.town.course} | more


async def service(here: Here) -> None:
    await served(here.town, "张桂兰", 135)
    record = await record_id_of(here.owner, here.town, "张桂兰")
    await reverse_record(await here.town.scope("赵丽"), record, "扫错了")


async def check_out_undone(here: Here) -> None:
    begin = nine_o_clock()
    keeper, visit = await left(here.town, begin)
    with later(begin, 120):
        await undo_check_out(keeper, visit)


async def attendance_undone(here: Here) -> None:
    keeper, booking_id = await attended(here.town, here.owner)
    await undo_attendance(keeper, booking_id)


async def service_anywhere(here: Here) -> None:
    """Hours without a station and an activity are of volunteering."""
    made = await entered(here.town)
    await review_record(await here.town.scope("赵丽"), made.id, ReviewIn("approve"))
    with clock.at(clock.now() + timedelta(days=9)):
        assert await credit_due_records(here.town.system()) == 1
        await reverse_record(await here.town.scope("赵丽"), made.id, "扫错了")


async def deed(here: Here) -> None:
    with clock.at(MORNING):
        one = await filed(here.town, witness_id=here.town.people["张桂兰"])
        await review_deed(await here.town.scope("陈明"), one.id, "approve", "属实", witness_asked=True)
    with clock.at(MORNING + timedelta(days=7)):
        assert await credit_due_deeds(here.town.system()) == 1
        await reverse_deed(await here.town.scope("吴昊"), one.id, "重复登记")


async def deed_at_other_points(here: Here) -> None:
    with clock.at(MORNING):
        one = await filed(here.town, by="赵丽", points=15, points_reason="跑了三趟")
        waits: object = await review_deed(await here.town.scope("吴昊"), one.id, "approve", "属实")
        if isinstance(waits, Waiting):
            await decide_change(await here.town.scope("钱进"), waits.waiting, "agree")
    with clock.at(MORNING + timedelta(days=7)):
        assert await credit_due_deeds(here.town.system()) == 1


async def expiry(here: Here) -> None:
    with clock.at(NOON):
        await here.town.credit_deed("李秀英", 10, expires_on=LAST_DAY)
    await here.days.work(NOON)
    await here.days.work(NEW_YEAR)
    with clock.at(NEW_YEAR):
        entry = await expired_entry(here.owner, here.town, "李秀英")
        await reverse_expiry(await here.town.scope("吴昊"), entry, "通知没有发出去")


async def collection_and_return(here: Here) -> None:
    made, code = await here.reserved()
    await collection.collect(await here.town.scope("周敏"), made, code)
    await returns.return_goods(await here.town.scope("周敏"), made, "破了")


async def cancelled(here: Here) -> None:
    made, _ = await here.reserved()
    await cancelling.cancel(await here.town.scope("张桂兰"), made)


async def expired(here: Here) -> None:
    await here.reserved()
    with clock.at(clock.now() + timedelta(days=60)):
        assert await cancelling.expire_redemptions(here.town.system()) == 1


async def donation(here: Here) -> None:
    await here.town.credit_deed("张桂兰", 10)
    for note in ("", "给需要的人"):
        body = {"person_id": str(here.town.people["张桂兰"]), "points": 2, "note": note}
        headers = await here.town.sign_in("张桂兰") | key()
        assert (await here.client.post(f"{API}/donations", json=body, headers=headers)).status_code == 201


async def refunds(here: Here) -> None:
    await here.hours()
    await refund(await here.town.scope("刘洋"), RefundIn(**here.child(minutes=30)))
    await refund(await here.town.scope("刘洋"), RefundIn(**here.child(minutes=30, reason="去外婆家")))
    other = await another_course(here.owner, here.town)
    await move_class_hours(await here.town.scope("刘洋"), MoveIn(**here.child(to_course_id=other)))


async def refund_at_the_end(here: Here) -> None:
    await here.hours()
    ends_on = await here.owner.fetchval("SELECT ends_on FROM course")
    with clock.at(clock.day_bounds(ends_on)[1]):
        await day_closed(here.owner, here.town, ends_on)
        assert await stopping.refund_ended(here.town.system()) == 1


async def refund_at_a_stop(here: Here) -> None:
    await here.hours(180)
    await booked(here.town, "刘洋", "刘小雨")
    await stopping.stop_course(await here.town.scope("赵丽"), here.town.course, "林老师调走了")
    assert await stopping.cancel_lessons_of_stopped(here.town.system()) > 0
    assert await stopping.refund_ended(here.town.system()) == 1


async def refund_at_a_stop_without_reason(here: Here) -> None:
    await here.hours()
    await changes.change_course(await here.town.scope("赵丽"), here.town.course, CourseChange(active=False))
    await stopping.cancel_lessons_of_stopped(here.town.system())
    assert await stopping.refund_ended(here.town.system()) == 1


async def class_expiry(here: Here) -> None:
    day, entry = await let_run_out(here.town, here.owner)
    await here.owner.execute("UPDATE course SET ends_on = ends_on + 60")
    with clock.at(clock.day_bounds(day)[0]):
        await reverse_class_expiry(await here.town.scope("赵丽"), entry, "结课日写错了")


async def lessons(here: Here) -> None:
    await give_minutes(here.town, "刘小雨", 120)
    first = await booked(here.town, "刘洋", "刘小雨")
    await booking.cancel_booking(await here.town.scope("刘洋"), first.id)
    again = await booked(here.town, "刘洋", "刘小雨")
    starts_at = await here.owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", here.town.lessons[0])
    with clock.at(starts_at):
        await attendance.attend(await here.town.scope("周敏"), again.id, again.code)


async def merge(here: Here) -> None:
    """The reservation of the merged record is held anew, with its memo."""
    await here.reserved()
    await twin(here.town, here.owner)
    done = await merged(here.town, kept=TWIN, other="张桂兰")
    held = await here.owner.fetch("SELECT memo_kind, memo_values FROM transfer WHERE kind = 'hold'")
    assert len(held) == 2
    assert held[0] == held[1]
    await undo_merge(await here.town.scope("赵丽"), here.town.people[TWIN], done.id)


async def debt(here: Here) -> None:
    """What is earned after a reversal repays the debt; the repayment belongs to the entry that was earned."""
    deed_id = await here.town.credit_deed("李秀英", 10)
    await posting.spend(
        here.town.system(), here.town.people["李秀英"], 4,
        Posting(kind="donation", key="d", source_kind="donation", source_id=deed_id, memo=phrase("entry.donation")),
        to="donated",
    )  # fmt: skip
    await reverse_deed(await here.town.scope("吴昊"), deed_id, "没有这件事")
    await served(here.town, "李秀英", 60)


MAKES: dict[Callable[[Here], Awaitable[None]], set[str]] = {
    service: {"entry.service", "entry.service_reversed"},
    check_out_undone: {"entry.service", "entry.check_out_undone"},
    attendance_undone: {"entry.lesson_attended", "entry.attendance_undone"},
    service_anywhere: {"entry.service_anywhere", "entry.service_anywhere_reversed"},
    deed: {"entry.deed", "entry.deed_reversed"},
    deed_at_other_points: {"entry.deed_at_other_points"},
    expiry: {"entry.expiry_reversed"},
    collection_and_return: {"entry.good_reserved", "entry.good_collected", "entry.good_returned"},
    cancelled: {"entry.reservation_cancelled"},
    expired: {"entry.reservation_expired"},
    donation: {"entry.donation"},
    refunds: {"entry.class_bought", "entry.class_refunded", "entry.class_refunded_because", "entry.class_moved"},
    refund_at_the_end: {"entry.class_refunded_at_end"},
    refund_at_a_stop: {"entry.class_refunded_at_stop_because", "entry.lesson_cancelled"},
    refund_at_a_stop_without_reason: {"entry.class_refunded_at_stop"},
    class_expiry: {"entry.class_expired", "entry.class_expiry_reversed"},
    lessons: {"entry.lesson_booked", "entry.lesson_attended", "entry.booking_cancelled"},
    merge: {"entry.good_reserved"},
    debt: {"entry.service", "entry.deed_reversed", "entry.donation"},
}
"""What each story posts. Together they post every kind that a manifest declares for an entry."""


@pytest.fixture
async def here(town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, database_clock: DatabaseClock) -> Here:
    return Here(town, owner, client, Days(town, database_clock))


def test_every_declared_kind_is_posted_by_one_of_the_stories() -> None:
    assert set().union(*MAKES.values()) == MEMOS


@pytest.mark.parametrize("story", MAKES, ids=lambda story: story.__name__)
async def test_the_statement_of_every_kind_of_entry_reads_whole_in_english(
    here: Here, story: Callable[[Here], Awaitable[None]]
) -> None:
    await story(here)
    kinds = await here.owner.fetch("SELECT DISTINCT memo_kind FROM transfer WHERE memo_kind IS NOT NULL")
    assert MAKES[story] <= {row["memo_kind"] for row in kinds}
    rows = await here.owner.fetch("SELECT memo, memo_values FROM transfer")
    data = {row["memo"] for row in rows} | {"测试发放", "调解邻里纠纷"}
    for row in rows:
        data |= {str(value) for value in msgspec.json.decode(row["memo_values"] or "{}").values()}
    data -= catalogue("en").keys()  # words of the program, which are translated
    read = 0
    for person in await here.owner.fetch("SELECT DISTINCT owner_id FROM account WHERE owner_kind = 'person'"):
        for currency in Currency:
            asked = {"person_id": str(person["owner_id"]), "currency": currency.value}
            for item in await statement_of(here, asked, ENGLISH):
                read += 1
                for text in (item["what"], item["why"]):
                    assert not CHINESE.search(without(text, data)), text
                    assert not re.search(r"[{}—]", without(text, data)), text
            for item in await statement_of(here, asked, {}):
                assert CHINESE.search(item["what"])
    assert read > 0


async def statement_of(here: Here, asked: dict[str, str], language: dict[str, str]) -> list[dict[str, Any]]:
    headers = await here.town.sign_in("孙伟") | language
    answer = await here.client.get(f"{API}/me/statement", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def without(text: str, data: set[str]) -> str:
    """A text without what people have written: names, places and reasons."""
    for each in sorted(data, key=len, reverse=True):
        text = text.replace(each, "") if each else text
    return text


async def test_pages_and_the_panel_s_book_say_it_in_the_reader_s_language(here: Here) -> None:
    made, _ = await here.reserved()
    await cancelling.cancel(await here.town.scope("张桂兰"), made)
    entry = await here.owner.fetchval(
        "SELECT entry_id FROM transfer WHERE memo_kind = 'entry.reservation_cancelled' LIMIT 1"
    )
    good = "香皂 1 块"
    sees = [
        (await browser(here.client, here.town, "张桂兰"), ("/statement", f"/statement/{entry}")),
        (await browser(here.client, here.town, "赵丽"), ("/admin/ledger", f"/admin/ledger/{entry}")),
    ]
    for who, paths in sees:
        for path in paths:
            assert f"取消预留：{good}" in await who.see(path), path
            assert f"Reservation cancelled: {good}" in await english(who, path), path


async def english(who: Browser, path: str) -> str:
    return (await who.client.get(path, headers=who.headers | ENGLISH)).text


async def test_what_a_giver_writes_is_shown_as_written_and_is_no_sentence(here: Here) -> None:
    await here.town.credit_deed("张桂兰", 10)
    headers = await here.town.sign_in("张桂兰") | ENGLISH
    for note in ('{"kind": "deed"}', "{points} 分", "取消"):
        body = {"person_id": str(here.town.people["张桂兰"]), "points": 1, "note": note}
        await here.client.post(f"{API}/donations", json=body, headers=headers | key())
        (newest, *_) = (await here.client.get(f"{API}/me/statement", headers=headers)).json()["items"]
        assert newest["why"] == note


async def test_concurrent_gifts_with_and_without_words_keep_their_own(here: Here) -> None:
    """A short balance posts them one by one, an ample one together: both keep each giver's words."""
    for name, points in (("张桂兰", 1), ("李秀英", 20)):
        await here.town.credit_deed(name, points, expires_on=date(2028, 12, 31))
        await here.town.credit_deed(name, points)
    for name, words in (("张桂兰", "心意"), ("李秀英", "")):
        given = DonationIn(person_id=here.town.people[name], points=2, note=words)
        for _ in range(2):  # the second one is a repetition
            await donate(await here.town.scope(name), given, key=f"g:{name}", request_hash=b"x")
    stored = await here.owner.fetch(
        "SELECT memo, memo_kind, memo_values FROM transfer WHERE kind = 'donation' AND leg = 1 ORDER BY memo"
    )
    assert [tuple(row) for row in stored] == [("", GIVEN.kind, "{}"), ("心意", None, None)]


def note(why: Any, **more: Any) -> Posting:
    return Posting(kind="deed", key="k", source_kind="test", source_id=UUID(int=7), memo=why, **more)


async def stored(owner: asyncpg.Connection) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in await owner.fetch("SELECT memo, memo_kind FROM transfer WHERE key = 'k'")]


async def test_an_entry_of_before_is_the_same_request_and_keeps_its_text(town: Town, owner: asyncpg.Connection) -> None:
    """Its memo was a finished sentence. The same key after the upgrade, with a kind and values, moves nothing."""
    zhang = town.people["张桂兰"]
    text = "3栋1单元 · 2026-11-17 · 调解邻里纠纷 v1，每件 10 分"
    first = await posting.issue(town.system(), zhang, Currency.point, 10, note(text))
    now = phrase("entry.deed", area="3栋1单元", day=date(2026, 11, 17), rule="调解", version=1, points=10, unit="每件")
    again = await posting.issue(town.system(), zhang, Currency.point, 10, note(now))
    assert (again.entry_id, again.replayed) == (first.entry_id, True)
    assert await stored(owner) == [(text, None)]
    assert Reasoned(memo=text, memo_kind=None, memo_values=None).reason("en") == text


def test_a_memo_of_another_version_breaks_no_statement() -> None:
    """A kind that is not declared says nothing, and a value that was not stored is a dash."""
    assert Reasoned(memo="", memo_kind="of_tomorrow", memo_values='{"a": 1}').reason("en") == ""
    assert (
        Reasoned(memo="", memo_kind="entry.service", memo_values='{"place": "驿站"}')
        .reason("en")
        .startswith("— · 驿站")
    )


async def test_a_long_reason_is_cut_and_never_refuses_the_posting(town: Town, owner: asyncpg.Connection) -> None:
    """Eight values of the longest letters are stored, with quotes and line breaks; only the length is bounded."""
    said = phrase("entry.deed", **{f"v{n}": ('𠀀"\n' * 500)[: 500 + n] for n in range(VALUES_MAX)})
    worst = said.bounded()
    assert all(len(str(value)) == VALUE_MAX and str(value).endswith("…") for value in worst.values.values())
    posted = await posting.issue(town.system(), town.people["张桂兰"], Currency.point, 10, note(said))
    kept = await owner.fetchval("SELECT memo_values FROM transfer WHERE entry_id = $1", posted.entry_id)
    assert msgspec.json.decode(kept) == worst.values


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [("deed", None, ""), (None, "{}", ""), ("deed", "{}", "两样都有"), ("deed", "[]", ""), ("deed", "9000", "")],
    ids=["no values", "no kind", "text and kind", "no object", "too long"],
)
async def test_the_ledger_stores_no_other_memo_whoever_calls_it(
    town: Town, kind: str | None, values: str | None, text: str
) -> None:
    if values == "9000":
        values = msgspec.json.encode({"reason": "长" * 9000}).decode()
    with pytest.raises(Unexpected) as refused:
        async with transaction(town.system()):
            await database.fetch(
                "SELECT * FROM ledger_issue($1, ROW(gen_random_uuid(), 'k', '\\x01', 'deed', now(), now(), NULL, "
                "'test', gen_random_uuid(), NULL, NULL, $4, $5, $6)::ledger_entry, 'person', $2, 'point', NULL, NULL, "
                "$3)",
                town.community, town.people["张桂兰"], 5, text, kind, values,
            )  # fmt: skip
    assert isinstance(refused.value.__cause__, asyncpg.CheckViolationError)
