"""A capability lets residents object to its rows by declaring a subject in its manifest, and by nothing else."""

from collections.abc import Iterator
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.messages import texts
from tests.support.town import Town
from timebank.core import database
from timebank.core.capability import Capability, also
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.http.callers import SESSION_COOKIE
from timebank.objections.deciding import ObjectionDecided, PartyToDeed, decide_objection
from timebank.objections.listing import count_undecided_objections, find_objection, may_decide
from timebank.objections.objecting import object_to, own_objection
from timebank.objections.schemas import Raised
from timebank.objections.subjects import NotOnNotice, OwnDeed, Parties, Subject, subjects

DONE: list[str] = []


async def _lock(scope: Scope, person_id: UUID) -> None:
    if not await database.fetch_value(
        "SELECT true FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, person_id
    ):
        raise NotFound


async def _hold(_: Scope, raised: Raised) -> None:
    DONE.append(f"held {raised.reason}")


async def _uphold(_: Scope, raised: Raised, note: str) -> None:
    DONE.append(f"upheld {raised.reason}: {note}")


async def _dismiss(_: Scope, raised: Raised) -> None:
    DONE.append(f"dismissed {raised.reason}")


async def _restore(_: Scope, raised: Raised) -> None:
    DONE.append(f"restored {raised.reason}")


def may_object_to_own_score(parties: Parties, own: bool) -> None:
    """A score is objected to by its own person alone."""
    if not own:
        raise OwnDeed
    if parties.stage != "published":
        raise NotOnNotice


# Everybody's score is published, and 周敏 has given it.
SCORE = Subject(
    kind="score", rejected="outcome.score_void", lock=_lock, hold=_hold, uphold=_uphold, dismiss=_dismiss,
    restore=_restore, may_object=may_object_to_own_score,
    select="""
SELECT p.id, p.id AS person_id, '测评' AS what, NULL::date AS occurred_on, p.created_at AS started_at, 3 AS points,
       NULL::integer AS minutes, 'published' AS stage,
       ARRAY(SELECT g.id FROM person g WHERE g.community_id = $1 AND g.name = '周敏') AS acted, '{}'::uuid[] AS logins,
       ARRAY[p.id] AS concerns
FROM person p WHERE p.community_id = $1
""",
)  # fmt: skip
SCORES = Capability(
    name="scores",
    package="tests.objections",
    subjects=("tests.objections.test_subjects.SCORE",),
    sentences={"outcome.score_void": "这项测评作废", "objection_entered.score": "工作人员替您对一项测评提出了异议。"},
)


@pytest.fixture(autouse=True)
def scores() -> Iterator[None]:
    DONE.clear()
    with also(SCORES):
        yield


async def test_a_declared_subject_is_objected_to_listed_and_decided(town: Town, client: httpx.AsyncClient) -> None:
    score, resident = town.people["张桂兰"], await town.scope("张桂兰")
    raised = await object_to(resident, "score", score, "少算了一次")
    assert (raised.subject_kind, raised.subject_id, raised.deed_id) == ("score", score, None)
    assert DONE == ["held 少算了一次"]
    found = await own_objection(resident, "score", score)
    assert found is not None
    assert found.id == raised.id
    admin = await town.scope("赵丽")
    assert await count_undecided_objections(admin) == 1
    doubt = await find_objection(admin, raised.id)
    assert (doubt.what, doubt.person, doubt.points) == ("测评", "张桂兰", 3)
    assert await may_decide(admin, doubt)
    cookie = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    for page in ("/admin", "/admin/deeds?status=objected", f"/admin/objections/{raised.id}"):
        assert (await client.get(page, headers=cookie)).status_code == 200, page
    decided = await decide_objection(admin, raised.id, True, "补上了")
    assert decided.upheld
    assert DONE[1:] == ["upheld 少算了一次: 补上了"]
    with pytest.raises(ObjectionDecided):
        await decide_objection(admin, raised.id, False, "再看")


async def test_a_subject_says_itself_who_may_object_and_who_is_a_party(town: Town) -> None:
    with pytest.raises(OwnDeed):
        await object_to(await town.scope("王建国"), "score", town.people["张桂兰"], "太高了")
    raised = await object_to(await town.scope("王建国"), "score", town.people["王建国"], "太低了")
    with pytest.raises(Forbidden):
        await decide_objection(await town.scope("周敏"), raised.id, False, "没有错")
    assert (await decide_objection(await town.scope("钱进"), raised.id, False, "核对过")).upheld is False
    assert DONE[1:] == ["dismissed 太低了"]


async def test_an_administrator_does_not_decide_about_the_own_score(town: Town) -> None:
    raised = await object_to(await town.scope("赵丽"), "score", town.people["赵丽"], "太低了")
    with pytest.raises(PartyToDeed):
        await decide_objection(await town.scope("赵丽"), raised.id, True, "是太低了")


async def test_every_subject_says_its_outcome_and_whose_name_it_was_in_in_both_languages() -> None:
    for kind, subject in subjects().items():
        for sentence in (phrase(subject.rejected), phrase(f"objection_entered.{kind}")):
            assert sentence.text() != sentence.kind
            assert kind == "score" or sentence.text("en") != sentence.text()


async def test_a_resident_is_notified_in_the_words_of_the_subject(town: Town, owner: asyncpg.Connection) -> None:
    score, admin = town.people["张桂兰"], await town.scope("赵丽")
    raised = await object_to(admin, "score", score, "少算了一次", score)
    await decide_objection(await town.scope("钱进"), raised.id, True, "补上了")
    assert await texts(owner, "person_id = $1", score) == [
        "工作人员替您对一项测评提出了异议。", "您的异议有了决定：这项测评作废。补上了",
    ]  # fmt: skip


async def test_what_no_capability_declares_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound):
        await object_to(await town.scope("张桂兰"), "stock_move", town.people["张桂兰"], "不对")
