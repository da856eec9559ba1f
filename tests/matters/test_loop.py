"""The loop from receipt to rating, through the verbs, on a real database."""

from datetime import time, timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.support.matters import CONTACT, FIRM, GRID_HEAD, LEADER, MORNING, POWER, Ground, let_reports_earn
from tests.support.pictures import kept_by
from timebank.core import clock
from timebank.core.errors import Forbidden, Invalid, NotFound
from timebank.matters.jobs.purging import purge_matter_texts
from timebank.matters.jobs.silence import close_silent_matters
from timebank.matters.jobs.urging import urge_matters
from timebank.matters.loop import dispatching, ending, showing, talking
from timebank.matters.loop.refusals import (
    AlreadyRated,
    MatterMovedOn,
    PartyToMatter,
    PhotoMissing,
    PostponedTooLong,
    ReasonMissing,
    ReopenTooLate,
    ReturnNotPossible,
)
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import FollowIn, PostponeIn, PublishIn


async def row_of(owner: asyncpg.Connection, matter_id: UUID) -> asyncpg.Record:
    found = await owner.fetchrow("SELECT * FROM matter WHERE id = $1", matter_id)
    assert found is not None
    return found


async def messages_to(owner: asyncpg.Connection, ground: Ground, name: str) -> list[str]:
    found = await owner.fetch(
        "SELECT sentence FROM message WHERE person_id = $1 AND sentence LIKE 'matter%' ORDER BY sentence",
        ground.town.people[name],
    )
    return [each["sentence"] for each in found]


async def test_a_report_goes_from_receipt_to_rating(ground: Ground, owner: asyncpg.Connection) -> None:
    receipt = await ground.open()
    assert len(receipt.number) == 8
    assert receipt.due_at == clock.at_local(clock.local_day(MORNING) + timedelta(days=2), time(18))
    assert receipt.number in receipt.texts[0]
    await ground.dispatch(receipt.id)
    taken = await ground.take(receipt.id)
    assert (taken.status, taken.unit, taken.may) == ("accepted", FIRM, ["give_up", "return", "ask", "finish"])
    assert (await ground.finish(receipt.id)).status == "done"
    rated = await ground.rate(receipt.id)
    assert (rated.status, rated.done_days) == ("closed", 0)
    mine = await find_matter(await ground.town.scope("张桂兰"), receipt.id)
    assert [step.verb for step in mine.steps] == ["open", "dispatch", "take", "finish", "rate"]
    confirmed = await ground.confirm(receipt.id)
    assert (confirmed.matter.verified, confirmed.award, confirmed.why) == ("true", None, "no_rule")
    assert await messages_to(owner, ground, "张桂兰") == ["matter_done", "matter_received", "matter_taken.unit"]
    assert await messages_to(owner, ground, CONTACT) == ["matter_rated", "matter_yours"]
    assert await messages_to(owner, ground, GRID_HEAD) == ["matter_to_dispatch"]


async def test_a_confirmed_report_is_a_deed_and_an_untrue_one_is_taken_back(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    await let_reports_earn(ground.town)
    matter = await ground.done()
    confirmed = await ground.confirm(matter)
    assert confirmed.award is not None
    assert (confirmed.award.points, confirmed.award.rule, confirmed.why) == (5, "发现并上报隐患", None)
    assert confirmed.matter.status == "closed"
    deeds = "SELECT status FROM deed WHERE source_kind = 'matter' AND source_id = $1"
    assert [each["status"] for each in await owner.fetch(deeds, matter)] == ["noticed"]
    assert (await ground.confirm(matter)).why == "twice"
    assert (await ground.confirm(matter, verified="untrue")).matter.verified == "untrue"
    assert [each["status"] for each in await owner.fetch(deeds, matter)] == ["rejected"]


async def test_what_is_true_earns_also_where_nobody_can_mend_it(ground: Ground) -> None:
    await let_reports_earn(ground.town)
    true, untrue = (await ground.open()).id, (await ground.open("李秀英")).id
    assert (await ground.refuse(true)).refused_because == "not_ours"
    assert (await ground.confirm(true)).award is not None
    await ground.refuse(untrue, because="untrue")
    confirmed = await ground.confirm(untrue)
    assert (confirmed.award, confirmed.why) == (None, "not_true")


async def test_nobody_dispatches_or_confirms_what_they_or_their_family_reported(ground: Ground) -> None:
    own = (await ground.open(GRID_HEAD)).id
    with pytest.raises(PartyToMatter):
        await ground.dispatch(own)
    await ground.dispatch(own, by="赵丽")
    await ground.take(own)
    await ground.finish(own)
    with pytest.raises(PartyToMatter):
        await ground.confirm(own)
    assert (await ground.confirm(own, by="赵丽")).matter.status == "closed"


async def test_who_handled_it_does_not_confirm_it(ground: Ground) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter, by="赵丽", person_id=ground.town.people[GRID_HEAD])
    await ground.take(matter, by=GRID_HEAD)
    await ground.finish(matter, by=GRID_HEAD)
    with pytest.raises(PartyToMatter):
        await ground.confirm(matter)


async def test_the_third_dispatch_cannot_be_returned_and_the_clock_goes_on(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    first = await ground.send_back(matter)
    assert (first.status, first.returns, first.level, first.unit) == ("received", 1, "grid", None)
    await ground.dispatch(matter, unit_id=ground.units[FIRM])
    await ground.take(matter)
    second = await ground.send_back(matter)
    assert (second.returns, second.level, second.final) == (2, "community", True)
    with pytest.raises(Forbidden):
        await ground.dispatch(matter)
    await ground.dispatch(matter, by="赵丽", unit_id=ground.units[FIRM])
    with pytest.raises(ReturnNotPossible):
        await ground.send_back(matter)
    await ground.take(matter)
    with clock.at(MORNING + timedelta(days=1)):
        await ground.finish(matter)
    assert (await row_of(owner, matter))["done_days"] == 1
    assert "matter_returned.final" in await messages_to(owner, ground, "赵丽")


async def test_giving_up_and_a_later_date_leave_the_days_unchanged(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    await ground.take(matter)
    assert (await ground.give_up(matter)).status == "dispatched"
    await ground.take(matter)
    before = await row_of(owner, matter)
    until = before["due_at"] + timedelta(days=2)
    later = await talking.postpone(await ground.scope(GRID_HEAD), matter, PostponeIn(until, "等零件"))
    assert (later.due_at, later.first_due_at) == (until, before["due_at"])
    with clock.at(MORNING + timedelta(days=3)):
        assert (await ground.finish(matter)).done_days == 3
    after = await row_of(owner, matter)
    assert (after["returns"], after["received_at"]) == (0, before["received_at"])
    assert "matter_postponed" in await messages_to(owner, ground, "张桂兰")


async def test_a_later_date_has_an_end_and_a_second_one_needs_the_level_above(ground: Ground) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    head, admin = await ground.scope(GRID_HEAD), await ground.scope("赵丽")
    due = (await find_matter(head, matter)).due_at
    with pytest.raises(ReasonMissing):
        await talking.postpone(head, matter, PostponeIn(due + timedelta(days=1), " "))
    with pytest.raises(PostponedTooLong):
        await talking.postpone(head, matter, PostponeIn(due + timedelta(days=9), "等零件"))
    await talking.postpone(head, matter, PostponeIn(due + timedelta(days=1), "等零件"))
    with pytest.raises(PostponedTooLong):
        await talking.postpone(head, matter, PostponeIn(due + timedelta(days=2), "还要等"))
    again = await talking.postpone(admin, matter, PostponeIn(due + timedelta(days=9), "还要等"))
    assert again.due_at == due + timedelta(days=9)


async def test_a_reopened_matter_counts_by_its_last_finish(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await ground.done()
    with clock.at(MORNING + timedelta(days=2)):
        again = await ground.rate(matter, solved=False)
        assert (again.status, again.reopens, again.done_at, again.unit) == ("dispatched", 1, None, FIRM)
        await ground.take(matter)
        assert (await ground.finish(matter)).done_days == 2
        assert (await ground.rate(matter)).status == "closed"
        with pytest.raises(AlreadyRated):
            await ground.rate(matter)
    with clock.at(MORNING + timedelta(days=40)), pytest.raises(ReopenTooLate):
        await ground.reopen(matter)
    assert await owner.fetchval("SELECT count(*) FROM rating WHERE matter_id = $1", matter) == 2


async def test_silence_closes_and_is_no_answer(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = await ground.done()
    system = ground.town.system()
    with clock.at(MORNING + timedelta(days=6, hours=23)):
        assert await close_silent_matters(system) == 0
    with clock.at(MORNING + timedelta(days=7)):
        assert await close_silent_matters(system) == 1
        assert await close_silent_matters(system) == 0
    row = await row_of(owner, matter)
    assert (row["status"], row["verified"]) == ("closed", None)
    assert await owner.fetchval("SELECT count(*) FROM rating WHERE matter_id = $1", matter) == 0
    assert "matter_closed" in await messages_to(owner, ground, "张桂兰")
    with clock.at(MORNING + timedelta(days=8)):
        assert (await ground.confirm(matter)).matter.status == "closed"


async def test_what_waits_is_urged_once_for_each_stage(ground: Ground, owner: asyncpg.Connection) -> None:
    matter, system = (await ground.open()).id, ground.town.system()
    told: list[int] = []
    for hours in (1, 3, 3, 47, 49, 58, 59, 72, 120, 121, 192):
        with clock.at(MORNING + timedelta(hours=hours)):
            told.append(await urge_matters(system))
    assert told == [0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1]
    assert (await row_of(owner, matter))["urged"] == 3
    assert await messages_to(owner, ground, GRID_HEAD) == [
        "matter_to_dispatch", "matter_to_dispatch.waits", "matter_urged",
    ]  # fmt: skip
    assert await messages_to(owner, ground, "赵丽") == ["matter_urged.again"]
    assert await messages_to(owner, ground, "钱进") == ["matter_urged.third"]


async def test_up_the_levels_and_down_again(ground: Ground) -> None:
    matter = (await ground.open("陈明", kind="event", category="utilities")).id
    up = await dispatching.hand_up(await ground.scope(GRID_HEAD), matter, "不归网格修")
    assert (up.level, up.may) == ("community", ["follow"])
    with pytest.raises(Forbidden):
        await ground.dispatch(matter)
    assert (await dispatching.hand_up(await ground.scope("赵丽"), matter, "要供电来修")).level == "street"
    down = await dispatching.hand_down(await ground.scope("钱进"), matter)
    assert down.level == "community"
    sent = await ground.dispatch(matter, by="赵丽", unit_id=ground.units[POWER])
    assert (sent.status, sent.unit) == ("dispatched", POWER)


async def test_merging_leads_the_later_reporter_to_the_older_one(ground: Ground, owner: asyncpg.Connection) -> None:
    await let_reports_earn(ground.town)
    older = (await ground.open()).id
    with clock.at(MORNING + timedelta(hours=1)):
        later = (await ground.open("李秀英")).id
        await showing.follow(await ground.scope("周敏"), later, FollowIn("same"))
        with pytest.raises(Invalid):
            await ending.merge_matters(await ground.scope(GRID_HEAD), older, later)
        merged = await ending.merge_matters(await ground.scope(GRID_HEAD), later, older)
        assert (merged.status, merged.merged_into) == ("merged", older)
    assert (await row_of(owner, older))["followers"] == 2
    with pytest.raises(MatterMovedOn):
        await ground.confirm(later)


async def test_some_categories_are_finished_with_a_picture_alone(ground: Ground) -> None:
    matter = (await ground.open(category="manhole")).id
    await ground.dispatch(matter)
    await ground.take(matter)
    with pytest.raises(PhotoMissing):
        await ground.finish(matter)
    photo = await kept_by(ground.town, CONTACT)
    with pytest.raises(NotFound):  # it lies in the community where the contact lives
        await ground.finish(matter, photo_ids=[photo])
    await ground.give_up(matter)
    await ground.dispatch(matter, team_id=ground.team)
    await ground.take(matter, by=LEADER)
    photo = await kept_by(ground.town, LEADER)
    finished = await ground.finish(matter, by=LEADER, photo_ids=[photo])
    seen = await find_matter(await ground.scope("张桂兰"), matter)
    assert finished.status == "done"
    assert [(each.photo_id, each.stage) for each in seen.photos] == [(photo, "after")]


async def test_everybody_reads_two_sentences_without_a_name(ground: Ground) -> None:
    matter = await ground.done()
    head = await ground.scope(GRID_HEAD)
    with pytest.raises(Invalid):
        await showing.publish(head, matter, PublishIn("张桂兰反映的灯修好了"))
    await showing.publish(head, matter, PublishIn("3栋的灯修好了"))
    seen = await find_matter(await ground.scope("周敏"), matter)
    assert (seen.public_text, seen.said, seen.reporter, seen.seen_as) == ("3栋的灯修好了", None, None, "public")
    await showing.follow(await ground.scope("周敏"), matter, FollowIn("thanks"))


async def test_a_question_is_read_by_the_two(ground: Ground, owner: asyncpg.Connection) -> None:
    matter = (await ground.open()).id
    await ground.dispatch(matter)
    await talking.ask_reporter(await ground.scope(CONTACT), matter, "是哪一盏灯？")
    await talking.answer_handler(await ground.scope("张桂兰"), matter, "门口那盏")
    assert await messages_to(owner, ground, CONTACT) == ["matter_answer", "matter_yours"]
    assert "matter_question" in await messages_to(owner, ground, "张桂兰")


async def test_words_are_emptied_three_years_after_the_end_and_counts_stay(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    matter = await ground.done()
    await ground.rate(matter)
    with clock.at(MORNING + timedelta(days=1000)):
        assert await purge_matter_texts(ground.town.system()) == 0
    with clock.at(MORNING + timedelta(days=1200)):
        assert await purge_matter_texts(ground.town.system()) == 1
        assert await purge_matter_texts(ground.town.system()) == 0
    row = await row_of(owner, matter)
    assert (row["said"], row["place"], row["result"], row["done_days"]) == ("", "", "", 0)
    assert (
        await owner.fetchval("SELECT count(*) FROM matter_step WHERE matter_id = $1 AND note IS NOT NULL", matter) == 0
    )
