"""Hours that follow from something confirmed: one pending record for each, which the confirmer does not review."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import asyncpg
import pytest

from tests.matrix.test_told import told
from tests.support.presence import nine_o_clock, points_of, served
from tests.support.town import Town
from timebank.core import clock
from timebank.core.capability import Capability, also
from timebank.core.database import transaction
from timebank.rules.source_row import SourceRow
from timebank.service_records import review
from timebank.service_records.crediting.notice_ends import credit_due_records
from timebank.service_records.honour.entering import HoursPlaceUnknown, HoursTimes
from timebank.service_records.honour.noting import Noted, note_service
from timebank.service_records.reading import find_record
from timebank.service_records.reviews.deciding import OwnRecord
from timebank.service_records.schemas import ReviewIn

APPROVE = ReviewIn("approve")


@pytest.fixture(autouse=True)
def errands() -> Iterator[None]:
    """A capability whose rows, errands, are confirmed by a neighbour."""
    with also(Capability(name="errands", package="tests.service_records", nouns={"errand": "跑腿"})):
        yield


def errand() -> SourceRow:
    return SourceRow("errand", clock.new_id())


async def noted(
    town: Town, person: str = "李秀英", by: str = "张桂兰", source: SourceRow | None = None, *, minutes: int = 60,
    begin: datetime | None = None, activity: str | None = None,
) -> Noted:  # fmt: skip
    """Confirm an errand in a transaction of its own, as the verb of its capability would."""
    scope, begin = await town.scope(by), begin or nine_o_clock()
    async with transaction(scope):
        return await note_service(
            scope, town.people[person], begin, begin + timedelta(minutes=minutes), source or errand(),
            town.activities[activity] if activity else None, town.people[by],
        )  # fmt: skip


async def test_confirmed_hours_wait_for_a_review_and_the_board_before_they_are_credited(
    town: Town, owner: asyncpg.Connection
) -> None:
    made = await noted(town, activity="站点值守")
    assert made.record_id is not None
    record = await find_record(await town.scope("赵丽"), made.record_id)
    assert (record.kind, record.status, record.minutes, record.flags) == ("honour", "pending", 60, [])
    assert (record.entered_by, record.source_kind, record.activity) == (town.people["张桂兰"], "errand", "站点值守")
    assert "有人确认了" in (await told(owner, town, "李秀英", "record_entered"))[0]
    noticed = await review.review_record(await town.scope("赵丽"), made.record_id, APPROVE)
    assert noticed.status == "noticed"
    assert noticed.notice_until is not None
    with clock.at(noticed.notice_until):
        assert await credit_due_records(town.system()) == 1
        assert await points_of(town, "李秀英") == 10


async def test_the_confirmer_and_their_household_do_not_review_it(town: Town) -> None:
    made = await noted(town, by="赵丽")
    assert made.record_id is not None
    with pytest.raises(OwnRecord):
        await review.review_record(await town.scope("赵丽"), made.record_id, APPROVE)
    assert (await review.review_record(await town.scope("钱进"), made.record_id, APPROVE)).status == "noticed"


@pytest.mark.parametrize(("person", "by"), [("张桂兰", "张国庆"), ("张桂兰", "张桂兰"), ("刘小雨", "刘洋")])
async def test_a_confirmation_within_the_family_is_flagged(town: Town, person: str, by: str) -> None:
    made = await noted(town, person, by)
    assert made.record_id is not None
    assert (await find_record(await town.scope("赵丽"), made.record_id)).flags == ["confirmed_by_family"]


async def test_the_same_errand_confirmed_at_once_is_one_record(town: Town, owner: asyncpg.Connection) -> None:
    source = errand()
    made = await asyncio.gather(*(noted(town, source=source) for _ in range(4)))
    assert sorted(str(each.why) for each in made) == ["None", "twice", "twice", "twice"]
    assert await owner.fetchval("SELECT count(*) FROM service_record") == 1
    assert (await noted(town, "王建国", source=source)).why is None, "a second helper of the errand has a record too"


async def test_an_errand_that_one_verb_confirms_twice_is_one_record(town: Town, owner: asyncpg.Connection) -> None:
    source = errand()
    async with transaction(await town.scope("张桂兰")):
        first, again = await noted(town, source=source), await noted(town, source=source)
    assert (first.why, again) == (None, Noted(None, "twice"))
    assert await owner.fetchval("SELECT count(*) FROM service_record") == 1


async def test_a_rejected_errand_is_not_confirmed_into_a_second_record(town: Town) -> None:
    source = errand()
    made = await noted(town, source=source)
    assert made.record_id is not None
    await review.review_record(await town.scope("赵丽"), made.record_id, ReviewIn("reject", "没有去"))
    assert await noted(town, source=source) == Noted(None, "twice")


async def test_a_child_needs_a_guardian_s_consent(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    assert await noted(town, "刘小雨") == Noted(None, "guarded")
    await owner.execute("UPDATE guardianship SET consented_at = now()")
    assert (await noted(town, "刘小雨")).why is None


async def test_somebody_who_has_left_gets_no_record(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE person SET status = 'left' WHERE id = $1", town.people["李秀英"])
    assert await noted(town) == Noted(None, "gone")
    assert await owner.fetchval("SELECT change ->> 'why' FROM audit WHERE verb = 'note_service'") == "gone"


async def test_paid_duty_brings_no_hours(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE role_grant SET paid = true WHERE person_id = $1", town.people["李秀英"])
    assert await noted(town) == Noted(None, "paid")
    await owner.execute("UPDATE role_grant SET ends_on = $1", date(2025, 6, 1))
    assert (await noted(town)).why is None


async def test_hours_over_a_visit_are_flagged(town: Town) -> None:
    begin = nine_o_clock()
    await served(town, "李秀英", 120, begin=begin)
    made = await noted(town, begin=begin + timedelta(minutes=30))
    assert made.record_id is not None
    assert (await find_record(await town.scope("赵丽"), made.record_id)).flags == ["overlap"]
    later_made = await noted(town, begin=begin + timedelta(minutes=150))
    assert later_made.record_id is not None
    assert (await find_record(await town.scope("赵丽"), later_made.record_id)).flags == []


@pytest.mark.parametrize(("minutes", "ago"), [(0, 60), (25 * 60, 26 * 60), (60, 30)])
async def test_hours_that_cannot_be_are_refused(town: Town, minutes: int, ago: int) -> None:
    with pytest.raises(HoursTimes):
        await noted(town, begin=clock.now() - timedelta(minutes=ago), minutes=minutes)


async def test_an_activity_of_another_community_is_refused(town: Town) -> None:
    with pytest.raises(HoursPlaceUnknown):
        await noted(town, activity="龙泉社区/站点值守")
