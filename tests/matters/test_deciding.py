"""The state machine as a table of cases: who may do what in which status, and what comes of it."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from msgspec.structs import replace

from timebank.core.errors import Forbidden, TimebankError
from timebank.matters.loop.deciding import (
    NEXT,
    WHO,
    Facts,
    Standing,
    decide,
    may,
)
from timebank.matters.loop.refusals import (
    AlreadyRated,
    LeavesOwnGrid,
    MatterAlreadyTaken,
    MatterMovedOn,
    NoHigherLevel,
    NoLowerLevel,
    NotTheReporter,
    NotVetted,
    OwnOrder,
    PartyToMatter,
    ReopenTooLate,
    ReturnNotPossible,
    WishGoesToStation,
    WishNotCollected,
)
from timebank.matters.loop.returning import level_above, level_below, returned
from timebank.matters.loop.talking import latest_postponement
from timebank.matters.schemas import MatterStatus, Verb

NOW = datetime(2026, 11, 18, 8, tzinfo=UTC)
DAY = timedelta(days=1)
NOBODY = Standing(resident=True)
REPORTER = Standing(reporter=True, near_served=True, party=True, resident=True)
GRID, COMMUNITY, STREET, COUNTY = (Standing(rank=rank, duty=True) for rank in range(4))
GRID_PARTY = Standing(rank=0, near_served=True, party=True)
GRID_HANDLED = Standing(rank=0, party=True, handler=True)
CONTACT = Standing(handler=True, leads=True, eligible=True, vetted=True)
MEMBER = Standing(eligible=True, vetted=True, resident=True)
STRANGER = Standing(eligible=True, resident=True)
HELPER = Standing(helper=True, eligible=True, vetted=True, resident=True)
FAMILY = Standing(eligible=True, vetted=True, near_served=True, party=True)
KEEPER = Standing(proven=True)
AT_COUNTER = Standing(keeps=True)
AUDITOR = Standing()
THERE = Standing(rank=1, rank_there=1, leaves_grid=True)
TAKES_OVER = Standing(rank_there=0, leaves_grid=True)


def matter(status: MatterStatus = "received", **more: object) -> Facts:
    times = {"received_at": NOW - DAY, "first_due_at": NOW + DAY, "due_at": NOW + DAY, "now": NOW}
    return Facts(**({"kind": "report", "status": status, "level": "grid"} | times | more))  # type: ignore[arg-type]


ORDER = {"kind": "order"}
CASES: list[tuple[str, Facts, Verb, Standing, str | type[TimebankError]]] = [
    ("a grid head dispatches", matter(), "dispatch", GRID, "dispatched"),
    ("anew while nobody has taken it", matter("dispatched"), "dispatch", GRID, "dispatched"),
    ("not what is taken", matter("accepted"), "dispatch", GRID, MatterMovedOn),
    ("an administrator dispatches below", matter(), "dispatch", COMMUNITY, "dispatched"),
    ("a grid head not above", matter(level="community"), "dispatch", GRID, Forbidden),
    ("a street not the county's", matter(level="county"), "dispatch", STREET, Forbidden),
    ("a resident dispatches nothing", matter(), "dispatch", NOBODY, Forbidden),
    ("an auditor dispatches nothing", matter(), "dispatch", AUDITOR, Forbidden),
    ("nobody dispatches their own", matter(), "dispatch", GRID_PARTY, PartyToMatter),
    ("a grid head hands up", matter(), "hand_up", GRID, "received"),
    ("also what is dispatched", matter("dispatched"), "hand_up", GRID, "received"),
    ("not what is taken in hand", matter("accepted"), "hand_up", GRID, MatterMovedOn),
    ("the county is the top", matter(level="county"), "hand_up", COUNTY, NoHigherLevel),
    ("a contact hands nothing up", matter("dispatched"), "hand_up", CONTACT, Forbidden),
    ("a street hands down", matter(level="street"), "hand_down", STREET, "received"),
    ("never below the category", matter(level="community", floor="community"), "hand_down", COMMUNITY, NoLowerLevel),
    ("a contact takes", matter("dispatched"), "take", CONTACT, "accepted"),
    ("before it is dispatched there is nothing", matter(), "take", CONTACT, MatterMovedOn),
    ("the second is too late", matter("accepted"), "take", MEMBER, MatterAlreadyTaken),
    ("a passer-by takes nothing", matter("dispatched"), "take", NOBODY, Forbidden),
    ("an order for one", matter("dispatched", **ORDER), "take", MEMBER, "accepted"),
    ("the first of two", matter("dispatched", people_wanted=2, **ORDER), "take", MEMBER, "dispatched"),
    ("the second of two", matter("dispatched", people_wanted=2, helpers=1, **ORDER), "take", MEMBER, "accepted"),
    (
        "not twice oneself",
        matter("dispatched", people_wanted=2, helpers=1, **ORDER),
        "take",
        HELPER,
        MatterAlreadyTaken,
    ),
    ("not the own order", matter("dispatched", **ORDER), "take", FAMILY, OwnOrder),
    ("not the own wish", matter("dispatched", kind="wish"), "take", FAMILY, OwnOrder),
    ("one's own building's report may be", matter("dispatched"), "take", FAMILY, "accepted"),
    ("at home only vetted people", matter("dispatched", at_home=True, **ORDER), "take", STRANGER, NotVetted),
    ("a keeper receives a gift", matter("accepted", kind="wish"), "receive", AT_COUNTER, "done"),
    ("for a wish alone", matter("accepted"), "receive", AT_COUNTER, Forbidden),
    ("not before somebody has taken it", matter("dispatched", kind="wish"), "receive", AT_COUNTER, MatterMovedOn),
    ("not a second one", matter("done", kind="wish"), "receive", AT_COUNTER, MatterMovedOn),
    ("nobody else receives", matter("accepted", kind="wish"), "receive", CONTACT, Forbidden),
    (
        "the giver does not",
        matter("accepted", kind="wish"),
        "receive",
        Standing(keeps=True, helper=True),
        PartyToMatter,
    ),
    (
        "nor the unit's contact",
        matter("done", kind="wish"),
        "collect",
        Standing(keeps=True, handler=True),
        PartyToMatter,
    ),
    ("nor who is near", matter("done", kind="wish"), "collect", Standing(keeps=True, party=True), PartyToMatter),
    ("a keeper hands over", matter("done", kind="wish"), "collect", AT_COUNTER, "closed"),
    ("once", matter("closed", kind="wish", closed_at=NOW), "collect", AT_COUNTER, MatterMovedOn),
    ("a keeper gives back what nobody collects", matter("done", kind="wish"), "give_back", AT_COUNTER, "received"),
    ("not the giver", matter("done", kind="wish"), "give_back", Standing(keeps=True, helper=True), PartyToMatter),
    ("nor who is near", matter("done", kind="wish"), "give_back", Standing(keeps=True, party=True), PartyToMatter),
    ("nor a resident", matter("done", kind="wish"), "give_back", NOBODY, Forbidden),
    ("a receipt is undone", matter("done", kind="wish"), "unreceive", AT_COUNTER, "accepted"),
    ("a hand-over is undone", matter("closed", kind="wish", closed_at=NOW), "uncollect", AT_COUNTER, "done"),
    ("a gift goes to the station", matter("accepted", kind="wish"), "finish", HELPER, WishGoesToStation),
    ("not rated before it is collected", matter("done", kind="wish"), "rate", REPORTER, WishNotCollected),
    ("nor confirmed", matter("done", kind="wish"), "confirm", GRID, WishNotCollected),
    ("who is vetted comes home", matter("dispatched", at_home=True, **ORDER), "take", MEMBER, "accepted"),
    ("a taker gives up", matter("accepted"), "give_up", CONTACT, "dispatched"),
    ("a helper gives up", matter("accepted", helpers=1, **ORDER), "give_up", HELPER, "dispatched"),
    ("and leaves one that is not full", matter("dispatched", helpers=1, **ORDER), "give_up", HELPER, "dispatched"),
    ("not what was not taken", matter("dispatched"), "give_up", CONTACT, MatterMovedOn),
    ("others do not give up", matter("accepted"), "give_up", NOBODY, Forbidden),
    ("a contact returns", matter("dispatched"), "return", CONTACT, "received"),
    ("also what is in hand", matter("accepted"), "return", CONTACT, "received"),
    ("not what is final", matter("dispatched", final=True), "return", CONTACT, ReturnNotPossible),
    ("a member does not return", matter("dispatched"), "return", MEMBER, Forbidden),
    ("a dispatcher does not return", matter("dispatched"), "return", GRID, Forbidden),
    ("a handler asks", matter("accepted"), "ask", CONTACT, "accepted"),
    ("a dispatcher asks", matter(), "ask", GRID, "received"),
    ("a neighbour does not ask", matter(), "ask", NOBODY, Forbidden),
    ("the reporter answers", matter("accepted"), "answer", REPORTER, "accepted"),
    ("nobody else answers", matter("accepted"), "answer", GRID, NotTheReporter),
    ("the level grants a later date", matter("accepted"), "postpone", GRID, "accepted"),
    ("a handler only asks for it", matter("accepted"), "postpone", CONTACT, Forbidden),
    ("not before it is dispatched", matter(), "postpone", GRID, MatterMovedOn),
    ("a taker finishes", matter("accepted"), "finish", CONTACT, "done"),
    ("a helper finishes", matter("accepted", **ORDER), "finish", HELPER, "done"),
    ("never before it is taken", matter("dispatched"), "finish", CONTACT, MatterMovedOn),
    ("a dispatcher finishes nothing", matter("accepted"), "finish", GRID, Forbidden),
    ("a dispatcher confirms", matter("done"), "confirm", GRID, "closed"),
    ("and what is closed", matter("closed", closed_at=NOW), "confirm", GRID, "closed"),
    ("and what is refused", matter("refused", closed_at=NOW), "confirm", GRID, "refused"),
    ("not before it is done", matter("accepted"), "confirm", GRID, MatterMovedOn),
    ("who handled it does not confirm", matter("done"), "confirm", GRID_HANDLED, PartyToMatter),
    ("who reported it does not confirm", matter("done"), "confirm", GRID_PARTY, PartyToMatter),
    ("a resident does not confirm", matter("done"), "confirm", REPORTER, Forbidden),
    ("the reporter rates", matter("done"), "rate", REPORTER, "closed"),
    ("by card at a counter", matter("done"), "rate", KEEPER, "closed"),
    ("a neighbour does not rate", matter("done"), "rate", NOBODY, NotTheReporter),
    ("a handler does not rate", matter("done"), "rate", CONTACT, NotTheReporter),
    ("once", matter("done", rated=frozenset({"resident"})), "rate", REPORTER, AlreadyRated),
    ("the community rates a unit", matter("closed", closed_at=NOW, has_unit=True), "rate", COMMUNITY, "closed"),
    ("a grid head does not", matter("closed", closed_at=NOW, has_unit=True), "rate", GRID, NotTheReporter),
    ("the reporter reopens", matter("closed", closed_at=NOW - DAY), "reopen", REPORTER, "dispatched"),
    ("a dispatcher reopens", matter("closed", closed_at=NOW - DAY), "reopen", GRID, "dispatched"),
    ("not after thirty days", matter("closed", closed_at=NOW - 31 * DAY), "reopen", REPORTER, ReopenTooLate),
    ("nobody else reopens", matter("closed", closed_at=NOW), "reopen", CONTACT, NotTheReporter),
    ("what is refused is not reopened", matter("refused"), "reopen", REPORTER, MatterMovedOn),
    ("a dispatcher refuses", matter(), "refuse", GRID, "refused"),
    ("not what is dispatched", matter("dispatched"), "refuse", GRID, MatterMovedOn),
    ("a dispatcher merges", matter("dispatched"), "merge", GRID, "merged"),
    ("not what is done", matter("done"), "merge", GRID, MatterMovedOn),
    ("the reporter withdraws", matter(), "withdraw", REPORTER, "withdrawn"),
    ("not what is dispatched any more", matter("dispatched"), "withdraw", REPORTER, MatterMovedOn),
    ("a dispatcher withdraws nothing", matter(), "withdraw", GRID, NotTheReporter),
    ("a neighbour sees it too", matter("dispatched"), "follow", NOBODY, "dispatched"),
    ("a neighbour thanks", matter("closed"), "thank", NOBODY, "closed"),
    ("not before it is done, thanks", matter("dispatched"), "thank", NOBODY, MatterMovedOn),
    ("a dispatcher publishes", matter("closed"), "publish", GRID, "closed"),
    ("a handler publishes nothing", matter("closed"), "publish", CONTACT, Forbidden),
    ("the community corrects a grid", matter("accepted"), "correct_area", THERE, "accepted"),
    ("and the head who gets it", matter(), "correct_area", TAKES_OVER, "received"),
    ("not once it is dispatched", matter("dispatched"), "correct_area", TAKES_OVER, Forbidden),
    ("nor above their level", matter(level="community"), "correct_area", TAKES_OVER, Forbidden),
    ("a head within the grid", matter("accepted"), "correct_area", Standing(rank=0, rank_there=0), "accepted"),
    ("not away from the grid", matter(), "correct_area", Standing(rank=0, leaves_grid=True), Forbidden),
    ("nobody out of their own figures", matter(), "correct_area", replace(THERE, gives_away=True), LeavesOwnGrid),
    ("nor who handles it", matter("accepted"), "correct_area", replace(THERE, handler=True), PartyToMatter),
    ("nor a party", matter(), "correct_area", replace(THERE, near_served=True), PartyToMatter),
    ("not when it is done", matter("done"), "correct_area", THERE, MatterMovedOn),
    ("nor closed", matter("closed", closed_at=NOW), "correct_area", THERE, MatterMovedOn),
    ("what is merged knows nothing more", matter("merged"), "dispatch", COUNTY, MatterMovedOn),
    ("what is withdrawn neither", matter("withdrawn"), "withdraw", REPORTER, MatterMovedOn),
]


@pytest.mark.parametrize(("facts", "verb", "caller", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_case(facts: Facts, verb: Verb, caller: Standing, expected: str | type[TimebankError]) -> None:
    if isinstance(expected, str):
        assert decide(facts, verb, caller) == expected
        assert verb in may(facts, caller)
    else:
        with pytest.raises(expected):
            decide(facts, verb, caller)
        assert verb not in may(facts, caller)


def test_not_solved_opens_it_again() -> None:
    assert decide(matter("done"), "rate", REPORTER, solved=False) == "dispatched"
    assert decide(matter("closed", closed_at=NOW), "rate", KEEPER, solved=False) == "dispatched"


def test_every_verb_has_its_people_and_a_status_that_knows_it() -> None:
    assert set(WHO) == set(get_args(Verb))
    assert {verb for verbs in NEXT.values() for verb in verbs} == set(get_args(Verb))
    assert set(NEXT) == set(get_args(MatterStatus))


def test_nobody_who_is_a_party_dispatches_confirms_refuses_or_merges() -> None:
    verbs: tuple[Verb, ...] = ("dispatch", "confirm", "refuse", "merge")
    for status in NEXT:
        for verb in verbs:
            for rank in range(4):
                with pytest.raises(TimebankError) as refused:
                    decide(matter(status), verb, Standing(rank=rank, near_served=True, party=True))
                assert refused.value.code == "party_to_matter"


def test_the_second_return_goes_up_and_is_final() -> None:
    first = returned(matter("dispatched"))
    assert (first.returns, first.level, first.final) == (1, "grid", False)
    second = returned(matter("dispatched", returns=1))
    assert (second.returns, second.level, second.final) == (2, "community", True)
    assert returned(matter("dispatched", returns=1, level="county")).level == "county"


def test_levels_end_at_both_ends() -> None:
    assert [level_above("grid"), level_above("county")] == ["community", "county"]
    assert [level_below("county"), level_below("grid")] == ["street", "grid"]


def test_a_later_date_once_and_at_most_the_original_length() -> None:
    assert latest_postponement(matter("accepted"), GRID) == NOW + 3 * DAY
    assert latest_postponement(matter("accepted", postponed=True), GRID) == NOW + DAY
    assert latest_postponement(matter("accepted", postponed=True), COMMUNITY) is None
