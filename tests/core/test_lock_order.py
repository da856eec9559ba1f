"""The lock order of every verb: the person's row first, then the person's other rows, so that no deadlock occurs."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.classes.test_bookings import booked, give_minutes
from tests.support.presence import scanned, station_code
from tests.support.shop import books_balance
from tests.support.town import Town
from timebank.access.roles import grants
from timebank.access.schemas import GrantIn
from timebank.cards import cards
from timebank.classes import attendance, booking
from timebank.classes.booking import BookingEnded
from timebank.classes.class_time import purchase
from timebank.classes.schemas import BookingIn, ClassHoursIn
from timebank.classes.seating import AlreadyBooked
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.core.scope import Role, Scope
from timebank.deeds import credit
from timebank.deeds.filing import filing
from timebank.deeds.review import review_deed
from timebank.deeds.schemas import DeedIn
from timebank.ledger import donations
from timebank.ledger.schemas import DonationIn
from timebank.people import records
from timebank.people.schemas import Correction
from timebank.policies.values import change_policy
from timebank.service_records import review
from timebank.service_records.crediting import reversal
from timebank.service_records.honour import entering
from timebank.service_records.schemas import HoursIn, ReviewIn
from timebank.shop import cancelling, collection, redemption, returns
from timebank.shop.schemas import Redeemed, RedemptionIn

Act = Callable[[], Awaitable[object]]


@dataclass
class Story:
    """Verbs on 刘洋, who volunteers, files deeds, redeems goods and books classes for a child; the others are staff."""

    town: Town
    me: Scope
    admin: Scope
    keeper: Scope
    worker: Scope

    async def reserved(self) -> Redeemed:
        want = RedemptionIn(
            person_id=self.town.people["刘洋"],
            good_id=self.town.goods["香皂"],
            station_id=self.town.stations["暖蜂驿站"],
        )
        return await redemption.redeem(self.me, want)

    def deed(self) -> DeedIn:
        area = self.town.areas["凤凰社区/第一网格/5栋/2单元"]
        return DeedIn(
            person_id=self.town.people["刘洋"],
            rule_code="mediation",
            area_id=area,
            occurred_on=clock.local_day(),
            note="调解楼道堆物",
        )

    def times(self) -> HoursIn:
        end = clock.now() - timedelta(hours=2)
        station = self.town.stations["暖蜂驿站"]
        return HoursIn(
            person_id=self.town.people["刘洋"],
            started_at=end - timedelta(hours=1),
            ended_at=end,
            reason="忘带手机",
            station_id=station,
        )

    # Each method prepares the data and returns the verb as a function to call.

    async def check_in(self) -> Act:
        return lambda: scanned(self.me, station_code(self.town))

    async def check_out(self) -> Act:
        with clock.at(clock.now() - timedelta(minutes=30)):
            await scanned(self.me, station_code(self.town))
        return lambda: scanned(self.me, station_code(self.town))

    async def redeem(self) -> Act:
        return self.reserved

    async def collect(self) -> Act:
        made = await self.reserved()
        return lambda: collection.collect(self.keeper, made.id, made.code or "")

    async def cancel(self) -> Act:
        made = await self.reserved()
        return lambda: cancelling.cancel(self.me, made.id)

    async def return_goods(self) -> Act:
        made = await self.reserved()
        await collection.collect(self.keeper, made.id, made.code or "")
        return lambda: returns.return_goods(self.keeper, made.id, "有破损")

    async def expire(self) -> Act:
        made = await self.reserved()

        async def later() -> int:
            with clock.at(made.expires_at + timedelta(seconds=1)):
                return await cancelling.expire_redemptions(self.town.system())

        return later

    async def leave(self) -> Act:
        return lambda: records.set_person_status(self.admin, self.town.people["刘洋"], "left", "搬走了")

    async def correct_phone(self) -> Act:
        changed = Correction(phone="19900009999", reason="换了号码")
        return lambda: records.correct(self.admin, self.town.people["刘洋"], changed)

    async def card(self) -> Act:
        return lambda: cards.issue_card(self.admin, self.town.people["刘洋"])

    async def grant(self) -> Act:
        area = self.town.areas["凤凰社区/第一网格/5栋/2单元"]
        asked = GrantIn(person_id=self.town.people["刘洋"], role=Role.unit_head, area_id=area)
        return lambda: grants.grant(self.admin, asked)

    async def approve_hours(self) -> Act:
        entered = await entering.enter_hours(self.keeper, self.times())
        return lambda: review.review_record(self.admin, entered.id, ReviewIn("approve"))

    async def reverse_hours(self) -> Act:
        entered = await entering.enter_hours(self.keeper, self.times())
        await review.review_record(self.admin, entered.id, ReviewIn("approve"))
        return lambda: reversal.reverse_record(self.admin, entered.id, "记错了人")

    async def file(self) -> Act:
        return lambda: filing.file_deed(self.admin, self.deed())

    async def approve_deed(self) -> Act:
        filed = await filing.file_deed(self.admin, self.deed())
        return lambda: review_deed(self.worker, filed.id, "approve", "")

    async def reverse_deed(self) -> Act:
        filed = await filing.file_deed(self.worker, self.deed())
        await review_deed(self.admin, filed.id, "approve", "")
        return lambda: credit.reverse_deed(self.admin, filed.id, "不是他做的")

    async def buy(self) -> Act:
        people = self.town.people
        wanted = ClassHoursIn(people["刘洋"], people["刘小雨"], self.town.course, 60)
        return lambda: purchase.buy_class_hours(self.me, wanted)

    async def book(self) -> Act:
        return lambda: booking.book_seat(self.me, BookingIn(self.town.lessons[1], self.town.people["刘小雨"]))

    async def cancel_booking(self) -> Act:
        made = await booked(self.town, "刘洋", "刘小雨", 0)
        return lambda: booking.cancel_booking(self.me, made.id)

    async def attend(self) -> Act:
        made = await booked(self.town, "刘洋", "刘小雨", 0)
        return lambda: attendance.attend(self.keeper, made.id, made.code)

    async def cancel_lesson(self) -> Act:
        return lambda: attendance.cancel_lesson(self.keeper, self.town.lessons[0], "老师病了")

    async def donate(self) -> Act:
        given = DonationIn(self.town.people["刘洋"], 3)
        return lambda: donations.donate(self.me, given, key=str(clock.new_id()), request_hash=b"h")


VERBS = [
    "check_in", "check_out", "redeem", "collect", "cancel", "return_goods", "expire", "leave", "correct_phone", "card",
    "grant", "approve_hours", "reverse_hours", "file", "approve_deed", "reverse_deed", "buy", "book",
    "cancel_booking", "attend", "cancel_lesson", "donate",
]  # fmt: skip
# These verbs change the child's class minutes, so they lock the child; buying locks the guardian who pays.
OF_THE_CHILD = {"book", "cancel_booking", "attend", "cancel_lesson"}
# A donation locks only accounts.
WITHOUT_PERSON = {"donate"}
PERSON_ONLY = {"check_in", "leave", "correct_phone", "card", "grant", "file"}

LOCKABLE = ("account", "stock", "household_month", "redemption", "visit", "service_record", "deed", "lesson", "booking")


@pytest.fixture
async def story(town: Town, owner: asyncpg.Connection) -> Story:
    await owner.execute("UPDATE good SET monthly_limit = NULL")
    await owner.execute("UPDATE rule SET cap_per_person = NULL, cap_per_area = NULL")
    await owner.execute("UPDATE lesson SET seats = 5")
    await change_policy(await town.scope("赵丽"), "notice_days", 0)
    await town.give_points("刘洋", 500)
    await give_minutes(town, "刘小雨", 600)
    return Story(
        town, await town.scope("刘洋"), await town.scope("赵丽"), await town.scope("周敏"), await town.scope("陈明")
    )


async def free_rows(connection: asyncpg.Connection, table: str) -> tuple[int, int]:
    """The number of rows of a table without a row lock, and the number of all rows."""
    async with connection.transaction():
        free = await connection.fetch(f"SELECT FROM {table} FOR NO KEY UPDATE SKIP LOCKED")
        every: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
        return len(free), every


_SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
)


async def until_it_waits(owner: asyncpg.Connection, task: "asyncio.Task[object]") -> bool:
    """Wait until a session waits for a lock: True; or until the verb has ended without waiting: False."""
    while not task.done():
        if await owner.fetchval(_SOMEBODY_WAITS):
            return True
        await asyncio.sleep(0.005)
    return False


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in WITHOUT_PERSON])
async def test_a_verb_that_waits_for_a_person_holds_nothing_that_others_wait_for(
    story: Story, owner: asyncpg.Connection, pool: str, verb: str
) -> None:
    act: Act = await getattr(story, verb)()
    if verb == "cancel_lesson":
        await booked(story.town, "刘洋", "刘小雨", 0)
    who = "刘小雨" if verb in OF_THE_CHILD else "刘洋"
    holder = await asyncpg.connect(pool)
    async with holder.transaction():
        await holder.execute("SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE", story.town.people[who])
        task = asyncio.ensure_future(act())
        assert await until_it_waits(owner, task), f"{verb} locks the person"
        for table in LOCKABLE:
            free, every = await free_rows(owner, table)
            assert free == every, f"{verb} holds a row of {table} while it waits for the person"
    await holder.close()
    await task


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in WITHOUT_PERSON | PERSON_ONLY])
async def test_an_account_is_locked_under_its_persons_lock(
    story: Story, owner: asyncpg.Connection, pool: str, verb: str
) -> None:
    act: Act = await getattr(story, verb)()
    if verb == "cancel_lesson":
        await booked(story.town, "刘洋", "刘小雨", 0)
    who = story.town.people["刘小雨" if verb in OF_THE_CHILD else "刘洋"]
    holder = await asyncpg.connect(pool)
    async with holder.transaction():
        await holder.execute("SELECT FROM account WHERE owner_id = $1 FOR NO KEY UPDATE", who)
        task = asyncio.ensure_future(act())
        assert await until_it_waits(owner, task), f"{verb} moves the account"
        held = await owner.fetch("SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED", who)
        assert held == [], f"{verb} locks an account without its person"
    await holder.close()
    await task


@pytest.mark.parametrize(
    ("one", "other"), list(itertools.combinations_with_replacement(VERBS, 2)), ids=lambda verb: str(verb)
)
async def test_of_two_verbs_on_one_person_at_once_none_ends_in_a_deadlock(
    story: Story, owner: asyncpg.Connection, one: str, other: str
) -> None:
    acts: list[Act] = []
    for verb in (one, other, one, other):
        with suppress(AlreadyBooked, BookingEnded):  # the second preparation fails: a child has one seat in a lesson
            acts.append(await getattr(story, verb)())
    with capture_logs() as logs:
        outcomes = await asyncio.gather(*[act() for act in acts], return_exceptions=True)
    faults = [o for o in outcomes if isinstance(o, BaseException) and not isinstance(o, TimebankError)]
    assert faults == []
    assert [o.code for o in outcomes if isinstance(o, TimebankError) and o.status >= 500] == []
    assert [line for line in logs if line["event"] == "run again" and "Deadlock" in line["cause"]] == []
    await books_balance(owner)
