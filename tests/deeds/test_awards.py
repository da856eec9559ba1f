"""Awards: what somebody has confirmed becomes a deed where the community's rules say so, and never more than once."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from typing import get_args
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.deeds.test_deeds import BUILDING, MORNING, OTHER_BUILDING, UNIT, filed, points_of
from tests.matrix.test_told import told
from tests.support.ledger_sums import problems_of
from tests.support.town import Town
from timebank.core import audit, clock
from timebank.core.capability import Capability, also
from timebank.core.database import transaction
from timebank.deeds.credit import credit_due_deeds
from timebank.deeds.filing.awards import Awarded, Why, award, undo
from timebank.deeds.filing.caps import CapReached
from timebank.deeds.reading import find_deed
from timebank.deeds.review import review_deed
from timebank.deeds.words import WHY
from timebank.http.callers import SESSION_COOKIE
from timebank.objections.deciding import PartyToDeed, decide_objection
from timebank.objections.objecting import object_to
from timebank.policies.values import change_policy
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn
from timebank.rules.source_row import SourceRow

TODAY = date(2026, 11, 18)
ERRANDS = Capability(
    name="errands", package="tests.deeds", nouns={"errand": "跑腿"}, audit={"finish_errand": "办完了跑腿"}
)


@pytest.fixture(autouse=True)
def errands() -> Iterator[None]:
    """A capability whose rows, errands, are confirmed by a neighbour."""
    with also(ERRANDS):
        yield


def errand() -> SourceRow:
    return SourceRow("errand", clock.new_id())


async def chosen(town: Town, points: int = 2, **other: object) -> None:
    """The community lets kept turns earn: 赵丽 sets the trigger before there is any credit."""
    wanted = {"cap_period": "week", "cap_per_person": 1, "cap_per_area": 5, "unit": "每周一次"} | other
    with clock.at(MORNING - timedelta(days=100)):
        rule = RuleIn(
            kind="deed", code="patrol", name="楼道卫生巡查", points=points, trigger="turn_kept",
            **wanted,  # type: ignore[arg-type]  # each of its own type
        )  # fmt: skip
        await set_rule(await town.scope("赵丽"), rule)


async def awarded(
    town: Town, person: str = "李秀英", by: str | None = "张桂兰", source: SourceRow | None = None, *,
    area: str = UNIT, on: date = TODAY,
) -> Awarded:  # fmt: skip
    """Confirm an errand in a transaction of its own, as the verb of its capability would."""
    source = source or errand()
    scope = await town.scope(by or "赵丽")
    async with transaction(scope):
        await audit.record(scope, "finish_errand", "errand", source.id)
        return await award(
            scope, town.people[person], "turn_kept", source, area_id=town.areas[area], on=on, note="扫了楼道",
            confirmed_by=town.people[by] if by else None,
        )  # fmt: skip


async def status_of(owner: asyncpg.Connection, deed_id: UUID | None) -> str:
    return str(await owner.fetchval("SELECT status FROM deed WHERE id = $1", deed_id))


async def test_what_a_neighbour_confirms_hangs_on_the_board_and_is_credited_like_any_deed(
    town: Town, owner: asyncpg.Connection
) -> None:
    await chosen(town)
    with clock.at(MORNING):
        made = await awarded(town, source=(source := errand()))
        assert made.deed_id is not None
        assert made.why is None
        deed = await find_deed(await town.scope("赵丽"), made.deed_id)
        assert (deed.status, deed.points, deed.filed_by, deed.source_kind) == ("noticed", 2, None, "errand")
        assert (deed.reviewed_by, deed.notice_until) == (town.people["张桂兰"], MORNING + timedelta(days=7))
        [text] = await told(owner, town, "李秀英", "deed_filed")
        assert "公示期满没有异议就记分" in text
    kept = await owner.fetchval("SELECT change ->> 'deed_id' FROM audit WHERE noun = 'errand' AND verb = 'award_deed'")
    assert (UUID(kept), source.kind) == (made.deed_id, "errand")
    with clock.at(MORNING + timedelta(days=7)):
        assert await credit_due_deeds(town.system()) == 1
        assert await points_of(town, "李秀英") == 2


async def test_nothing_earns_until_the_community_has_chosen_it(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        assert await awarded(town) == Awarded(None, "no_rule")
    assert await owner.fetchval("SELECT count(*) FROM deed") == 0
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'finish_errand'") == 1, "it stays confirmed"
    assert await owner.fetchval("SELECT change ->> 'why' FROM audit WHERE verb = 'award_deed'") == "no_rule"


@pytest.mark.parametrize(
    ("term", "earns"),
    [
        ({"starts_on": date(2026, 1, 1)}, False),
        ({"starts_on": date(2026, 1, 1), "ended_at": MORNING}, False),  # given up on the day itself, to earn by it
        ({"starts_on": date(2026, 1, 1), "ends_on": TODAY - timedelta(days=1)}, True),
        ({"starts_on": TODAY + timedelta(days=1)}, True),
    ],
)
async def test_paid_duty_never_earns(
    town: Town, owner: asyncpg.Connection, term: dict[str, object], earns: bool
) -> None:
    await chosen(town)
    values = {"ends_on": None, "ended_at": None} | term
    await owner.execute(
        "UPDATE role_grant SET paid = true, starts_on = $2, ends_on = $3, ended_at = $4 WHERE person_id = $1",
        town.people["李秀英"], values["starts_on"], values["ends_on"], values["ended_at"],
    )  # fmt: skip
    with clock.at(MORNING):
        made = await awarded(town)
    assert (made.why, made.deed_id is not None) == ((None, True) if earns else ("paid", False))


async def test_a_typed_deed_and_an_award_share_the_cap_of_one_rule(town: Town) -> None:
    await chosen(town)
    with clock.at(MORNING):
        await filed(town, rule_code="patrol")
        assert (await awarded(town)).why == "capped"
        assert (await awarded(town, "王建国", area=BUILDING)).why is None
        with pytest.raises(CapReached):
            await filed(town, "王建国", person="王建国", area=BUILDING, rule_code="patrol")


async def test_two_neighbours_at_once_do_not_both_take_the_last_place_of_a_unit(town: Town) -> None:
    await chosen(town, cap_per_area=1)
    with clock.at(MORNING):
        made = await asyncio.gather(awarded(town, "李秀英"), awarded(town, "张桂兰", "王建国"))
    assert sorted(str(each.why) for each in made) == ["None", "capped"]


async def test_a_child_earns_only_with_a_guardian_s_consent(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town)
    await owner.execute("UPDATE guardianship SET consented_at = NULL")
    with clock.at(MORNING):
        assert await awarded(town, "刘小雨", area=OTHER_BUILDING) == Awarded(None, "guarded")
        await owner.execute("UPDATE guardianship SET consented_at = $1", MORNING)
        assert (await awarded(town, "刘小雨", area=OTHER_BUILDING)).why is None
        assert (await awarded(town, "刘小雨", "刘洋", area=OTHER_BUILDING)).why == "capped"


async def test_somebody_who_has_left_earns_nothing(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town)
    await owner.execute("UPDATE person SET status = 'left' WHERE id = $1", town.people["李秀英"])
    with clock.at(MORNING):
        assert await awarded(town) == Awarded(None, "gone")
        scope = await town.scope("张桂兰")
        async with transaction(scope):
            made = await award(
                scope, town.people["王建国"], "turn_kept", errand(), area_id=clock.new_id(), on=TODAY, note="扫了楼道",
                confirmed_by=town.people["张桂兰"],
            )  # fmt: skip
        assert made == Awarded(None, "gone"), "a place that is not there"


@pytest.mark.parametrize(("person", "by"), [("张桂兰", "张国庆"), ("张桂兰", "张桂兰"), ("刘小雨", "刘洋")])
async def test_who_is_no_second_person_only_files_and_somebody_else_reviews(
    town: Town, owner: asyncpg.Connection, person: str, by: str
) -> None:
    await chosen(town)
    with clock.at(MORNING):
        made = await awarded(town, person, by)
        assert made.why == "family"
        assert made.deed_id is not None
        assert await status_of(owner, made.deed_id) == "filed"
        await owner.execute(
            "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
            "VALUES ($1, $2, $3, 'community_admin', $1, '2025-01-01', $4)",
            town.community, clock.new_id(), town.people[by], MORNING,
        )  # fmt: skip
        with pytest.raises(PartyToDeed):
            await review_deed(await town.scope(by), made.deed_id, "approve", "属实")
        assert (await review_deed(await town.scope("赵丽"), made.deed_id, "approve", "")).status == "noticed"


async def test_a_confirmer_who_opened_the_account_is_no_second_person(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town)
    await owner.execute(
        "UPDATE login SET opened_by_login = $2, opened_at = $3 WHERE id = $1",
        town.logins["李秀英"], town.logins["周敏"], MORNING,
    )  # fmt: skip
    with clock.at(MORNING):
        assert (await awarded(town, by="周敏")).why == "family"


async def test_what_nobody_has_looked_at_waits_for_a_review(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town)
    with clock.at(MORNING):
        made = await awarded(town, by=None)
    assert (made.why, await status_of(owner, made.deed_id)) == ("family", "filed")


async def test_many_points_of_one_day_wait_however_they_are_split(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town, cap_per_person=3)
    await change_policy(await town.scope("赵丽"), "second_person_points", 3)
    with clock.at(MORNING):
        first, second = await awarded(town), await awarded(town)
        assert (first.why, second.why) == (None, "many_points")
        assert await status_of(owner, second.deed_id) == "filed"
        assert second.deed_id is not None
        waits = await review_deed(await town.scope("赵丽"), second.deed_id, "approve", "")
        assert waits.waiting is not None, "its points need somebody from above, as those of a typed deed do"


async def test_one_errand_confirmed_twice_at_once_is_one_deed(town: Town, owner: asyncpg.Connection) -> None:
    await chosen(town, cap_per_person=3)
    source = errand()
    with clock.at(MORNING):
        made = await asyncio.gather(*(awarded(town, source=source) for _ in range(4)))
    assert sorted(str(each.why) for each in made) == ["None", "twice", "twice", "twice"]
    assert await owner.fetchval("SELECT count(*) FROM deed") == 1


async def test_an_errand_is_not_paid_again_by_another_rule_that_takes_over_the_trigger(town: Town) -> None:
    await chosen(town, cap_per_person=3)
    source = errand()
    with clock.at(MORNING):
        assert (await awarded(town, source=source)).why is None
        admin = await town.scope("赵丽")
        await set_rule(admin, RuleIn(kind="deed", code="patrol", name="楼道卫生巡查", points=2, cap_period="week",
                                     cap_per_person=1, cap_per_area=5))  # fmt: skip
        await set_rule(admin, RuleIn(kind="deed", code="turns", name="值日", points=3, trigger="turn_kept"))
        assert (await awarded(town, source=source)).why == "twice"
        assert (await awarded(town)).why is None


async def test_who_confirmed_does_not_decide_the_objection(town: Town) -> None:
    await chosen(town)
    with clock.at(MORNING):
        made = await awarded(town, by="赵丽")
        assert made.deed_id is not None
        objection = await object_to(await town.scope("张桂兰"), "deed", made.deed_id, "那天没来")
        with pytest.raises(PartyToDeed):
            await decide_objection(await town.scope("赵丽"), objection.id, False, "来了")
        assert (await decide_objection(await town.scope("吴昊"), objection.id, True, "没来")).upheld


async def taken_back(town: Town, source: SourceRow) -> int:
    scope = await town.scope("张桂兰")
    async with transaction(scope):
        return await undo(scope, source, "查明是误报")


async def test_an_undone_errand_takes_its_deed_back_whatever_became_of_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    await chosen(town)
    credited, objected, typed = errand(), errand(), None
    with clock.at(MORNING):
        first = await awarded(town, source=credited)
    with clock.at(MORNING + timedelta(days=8)):
        await credit_due_deeds(town.system())
        day = TODAY + timedelta(days=8)
        second = await awarded(town, source=objected, on=day)
        typed = await filed(town, "王建国", person="王建国", area=BUILDING, occurred_on=day)
        assert second.deed_id is not None
        objection = await object_to(await town.scope("王建国"), "deed", second.deed_id, "没见过")
        assert (await taken_back(town, credited), await taken_back(town, objected)) == (1, 1)
        assert (await taken_back(town, credited), await taken_back(town, objected)) == (0, 0), "once"
        assert await points_of(town, "李秀英") == 0
    assert [await status_of(owner, made) for made in (first.deed_id, second.deed_id, typed.id)] == [
        "reversed", "rejected", "filed",
    ]  # fmt: skip
    assert "查明是误报" in (await told(owner, town, "李秀英", "deed_reversed"))[0]
    assert "查明是误报" in (await told(owner, town, "李秀英", "deed_rejected"))[0]
    assert await owner.fetchval("SELECT upheld FROM objection WHERE id = $1", objection.id)
    assert len(await told(owner, town, "王建国", "objection_decided")) == 1
    assert await problems_of(owner) == []
    with clock.at(MORNING + timedelta(days=16)):
        assert await credit_due_deeds(town.system()) == 0
        assert (await awarded(town, source=objected, on=TODAY + timedelta(days=16))).why == "twice"


async def test_a_rule_s_own_days_of_notice_hold_for_typed_and_for_awarded_deeds(town: Town) -> None:
    await chosen(town, notice_days=20, cap_per_person=3)
    with clock.at(MORNING):
        made, typed = await awarded(town), await filed(town, rule_code="patrol")
        await review_deed(await town.scope("陈明"), typed.id, "approve", "")
        scope = await town.scope("赵丽")
        assert made.deed_id is not None
        ends = {(await find_deed(scope, deed)).notice_until for deed in (made.deed_id, typed.id)}
        assert ends == {MORNING + timedelta(days=20)}


async def test_the_trail_says_in_words_what_was_awarded_and_why_not(town: Town, client: httpx.AsyncClient) -> None:
    await chosen(town)
    with clock.at(MORNING):
        await awarded(town)
        await awarded(town)
    admin = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    trail = (await client.get("/admin/audit", headers=admin)).text
    assert "确认后登记善行" in trail
    assert "值日到岗确认后" in trail
    assert "次数已到上限" in trail
    assert set(WHY) == set(get_args(Why))
