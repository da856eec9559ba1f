"""Many records are decided together: pending for a minute, then each by the decider's rights of then."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from tests.support.inbox import credits_at_once, imported_hours, is_due, statuses
from tests.support.ledger_sums import problems_of
from tests.support.messages import messages_of
from tests.support.presence import scanned, station_code
from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.inbox import carrying_out, deciding
from timebank.inbox.kinds import Asked, Decision
from timebank.inbox.reminding import remind
from timebank.service_records.reviews import waiting

NOUN = "service_record"


async def decided(town: Town, run: UUID, *, by: str = "钱进", decision: Decision = "approve", note: str = "") -> UUID:
    """The person decides everything that waits of this import; returns the decision's id."""
    scope = await town.scope(by, town.community)
    return (await deciding.decide_many(scope, NOUN, decision, note, [], Asked(batch_id=run), every=True)).id


async def told(town: Town, name: str) -> list[str]:
    return [message.text for message in await messages_of(town, name)]


async def test_nothing_is_posted_within_the_minute_and_undo_reverses_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    run = await imported_hours(town, owner, 60)
    kept = await decided(town, run)
    assert await carrying_out.carry_out_decisions() == 0
    assert await statuses(town, owner) == {"pending": 60}
    street = await town.scope("钱进", town.community)
    assert (await waiting.decidable(street, Asked(batch_id=run))).waiting == 0, "chosen rows leave the list"
    undone = await deciding.undo(street, kept)
    assert (undone.status, (await deciding.undo(street, kept)).status) == ("undone", "undone")
    await is_due(owner)
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == {"pending": 60}
    assert len((await waiting.decidable(street, Asked(batch_id=run))).many) == 60
    assert await owner.fetchval("SELECT count(*) FROM transfer") == 0


async def test_after_the_minute_every_record_is_decided_once_and_credited(
    town: Town, owner: asyncpg.Connection
) -> None:
    await credits_at_once(town, owner)
    run = await imported_hours(town, owner, 130)
    kept = await decided(town, run)
    await is_due(owner)
    await asyncio.gather(*(carrying_out.carry_out_decisions() for _ in range(3)))
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == {"approved": 130}
    found = await deciding.find_decision(await town.scope("钱进", town.community), kept)
    assert (found.status, found.done, found.refused) == ("done", 130, 0)
    posted = await owner.fetch("SELECT entry_id FROM service_record WHERE entry_id IS NOT NULL")
    assert len({row["entry_id"] for row in posted}) == 130
    assert await problems_of(owner) == []
    with pytest.raises(deciding.NotUndoable):
        await deciding.undo(await town.scope("钱进", town.community), kept)


async def test_a_killed_worker_goes_on_where_it_stopped(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 120)
    kept = await decided(town, run)
    await is_due(owner)
    one = await one_due(town)
    decider = await carrying_out.decider_of(town.system(), one)
    assert await carrying_out.decide_chunk(decider, kept, NOUN, "approve", "") == carrying_out.CHUNK
    with pytest.raises(RuntimeError, match="killed"):
        await killed_in_a_chunk(decider, kept)
    assert await statuses(town, owner) == {"noticed": 50, "pending": 70}
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == {"noticed": 120}
    approvals = await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'approve_record'")
    assert approvals == 120


async def killed_in_a_chunk(decider: Scope, decision_id: UUID) -> None:
    async with transaction(decider):
        await carrying_out.decide_chunk(decider, decision_id, NOUN, "approve", "")
        raise RuntimeError("killed")


async def one_due(town: Town) -> carrying_out.Due:
    (one,) = await carrying_out.due_decisions(town.system())
    return one


async def test_own_household_and_entered_records_are_not_chosen(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 12)
    admin = await town.scope("赵丽")
    found = await waiting.decidable(admin, Asked(batch_id=run))
    assert (found.waiting, found.mine, found.many) == (12, 0, [])
    page = await waiting.listing(admin, Asked(batch_id=run))
    assert not any(item.mine for item in page.items)
    assert all("钱进" in " ".join(item.who) for item in page.items)
    with pytest.raises(deciding.NothingChosen):
        await decided(town, run, by="赵丽")
    with pytest.raises(Forbidden):
        await decided(town, run, by="孙伟")
    with pytest.raises(Forbidden):
        await decided(town, run, by="张桂兰")


async def test_who_has_become_involved_meanwhile_is_refused_and_told(town: Town, owner: asyncpg.Connection) -> None:
    """A record that somebody else has decided, and one that is now the decider's own, are refused."""
    run = await imported_hours(town, owner, 10)
    kept = await decided(town, run)
    first, second = [
        UUID(bytes=row["noun_id"].bytes)
        for row in await owner.fetch("SELECT noun_id FROM mass_decision_item ORDER BY place LIMIT 2")
    ]
    await owner.execute("UPDATE service_record SET status = 'rejected' WHERE id = $1", first)
    await owner.execute("UPDATE service_record SET entered_by = $2 WHERE id = $1", second, town.people["钱进"])
    await is_due(owner)
    await carrying_out.carry_out_decisions()
    street = await town.scope("钱进", town.community)
    found = await deciding.find_decision(street, kept)
    assert (found.status, found.done, found.refused) == ("done", 8, 2)
    refused = {each.noun_id: each.refusal for each in (await deciding.refused_items(street, kept)).items}
    assert refused == {first: "not_pending", second: "own_record"}
    one = await deciding.refused_items(street, kept, limit=1)
    other = await deciding.refused_items(street, kept, limit=1, cursor=one.next)
    assert [each.noun_id for each in (*one.items, *other.items)] == [first, second]
    assert other.next is None
    assert any("有 2 件没有办成" in text for text in await told(town, "钱进"))


async def test_the_decision_stops_when_the_role_has_ended_and_the_decider_is_told(
    town: Town, owner: asyncpg.Connection
) -> None:
    run = await imported_hours(town, owner, 70)
    kept = await decided(town, run)
    await owner.execute("UPDATE role_grant SET ended_at = $2 WHERE person_id = $1", town.people["钱进"], clock.now())
    await is_due(owner)
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == {"pending": 70}
    found = await deciding.find_decision(await town.scope("吴昊", town.community), kept)
    assert (found.status, found.stopped, found.left) == ("stopped", "forbidden", 70)
    assert any("办了 0 件就停下了" in text for text in await told(town, "钱进"))
    county = await town.scope("吴昊", town.community)
    assert (await waiting.decidable(county, Asked(batch_id=run))).mine == 70


async def test_a_return_has_a_reason_that_everybody_reads(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 12)
    with pytest.raises(deciding.ReasonMissing):
        await decided(town, run, decision="reject", note="  ")
    await decided(town, run, decision="reject", note="签到表没有签名")
    await is_due(owner)
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == {"rejected": 12}
    assert any("签到表没有签名" in text for text in await told(town, "张桂兰"))


async def test_only_who_decided_may_undo_and_only_in_the_own_community(town: Town, owner: asyncpg.Connection) -> None:
    kept = await decided(town, await imported_hours(town, owner, 6))
    with pytest.raises(NotFound):
        await deciding.undo(await town.scope("赵丽"), kept)
    with pytest.raises(NotFound):
        await deciding.undo(await town.scope("何静"), kept)


async def test_undo_and_the_worker_at_once_leave_all_or_nothing(town: Town, owner: asyncpg.Connection) -> None:
    run = await imported_hours(town, owner, 6)
    kept = await decided(town, run)
    await is_due(owner)
    street = await town.scope("钱进", town.community)
    outcomes = await asyncio.gather(
        deciding.undo(street, kept), carrying_out.carry_out_decisions(), return_exceptions=True
    )
    undone = not isinstance(outcomes[0], BaseException)
    assert isinstance(outcomes[0], deciding.NotUndoable) or undone
    await carrying_out.carry_out_decisions()
    assert await statuses(town, owner) == ({"pending": 6} if undone else {"noticed": 6})


async def test_check_ins_do_not_wait_for_a_chunk(town: Town, owner: asyncpg.Connection) -> None:
    """While a chunk's transaction is open and has decided its rows, somebody else checks in and the answer comes."""
    run = await imported_hours(town, owner, 60)
    kept = await decided(town, run)
    await is_due(owner)
    decider = await carrying_out.decider_of(town.system(), await one_due(town))
    chunk_decided, scanned_in = asyncio.Event(), asyncio.Event()

    async def chunk() -> None:
        async with transaction(decider):
            await carrying_out.decide_chunk(decider, kept, NOUN, "approve", "")
            await database.flush()
            chunk_decided.set()
            await scanned_in.wait()

    async def checks_in() -> str:
        await chunk_decided.wait()
        verdict = await scanned(await town.scope("孙伟"), station_code(town))
        scanned_in.set()
        return verdict.status

    _, status = await asyncio.gather(chunk(), checks_in())
    assert status == "ok"
    assert await statuses(town, owner) == {"noticed": 50, "pending": 10}


async def test_the_worker_acts_in_the_deciders_name_and_the_proof_ends_with_the_decision(
    town: Town, owner: asyncpg.Connection
) -> None:
    await decided(town, await imported_hours(town, owner, 6))
    await is_due(owner)
    one = await one_due(town)
    await carrying_out.carry_out_decisions()
    done = await owner.fetch("SELECT DISTINCT login_id, via FROM audit WHERE verb = 'approve_record'")
    assert [(UUID(bytes=row["login_id"].bytes), row["via"]) for row in done] == [(town.logins["钱进"], "worker")]
    with pytest.raises(Forbidden):
        await carrying_out.decider_of(town.system(), one)


async def test_a_reminder_reaches_those_who_may_decide_once_a_day(town: Town, owner: asyncpg.Connection) -> None:
    await imported_hours(town, owner, 24)
    admin = await town.scope("赵丽")
    assert await remind(admin, NOUN) == await remind(admin, NOUN) == 1
    assert [text for text in await told(town, "钱进") if "有 24 件事等您决定" in text] != []
    assert len([text for text in await told(town, "钱进") if "件事等您决定" in text]) == 1
    with pytest.raises(Forbidden):
        await remind(await town.scope("孙伟"), NOUN)
