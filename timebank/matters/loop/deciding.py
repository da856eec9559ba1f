"""The state machine of a matter: who may do what in which status, as a pure function over facts.

`NEXT` says which verbs a status knows, `decide` who may use one now and what the status is afterwards. Nothing here
touches the database; every verb locks the row, asks `decide`, and writes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from timebank.core.errors import Forbidden, TimebankError
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
    ReportsWait,
    ReturnNotPossible,
    WishGoesToStation,
    WishNotCollected,
)
from timebank.matters.schemas import LEVELS, MatterKind, MatterLevel, MatterStatus, OpenTo, Verb
from timebank.matters.words import STATUSES

NEXT: Mapping[MatterStatus, Mapping[Verb, Sequence[MatterStatus]]] = {
    "received": {
        "dispatch": ("dispatched",), "hand_up": ("received",), "hand_down": ("received",), "refuse": ("refused",),
        "merge": ("merged",), "withdraw": ("withdrawn",), "ask": ("received",), "answer": ("received",),
        "follow": ("received",), "confirm": ("received",), "correct_area": ("received",),
    },
    "dispatched": {
        "dispatch": ("dispatched",), "hand_up": ("received",), "hand_down": ("received",), "merge": ("merged",),
        "take": ("accepted", "dispatched"), "give_up": ("dispatched",), "return": ("received",),
        "ask": ("dispatched",), "answer": ("dispatched",), "postpone": ("dispatched",), "follow": ("dispatched",),
        "publish": ("dispatched",), "correct_area": ("dispatched",),
    },
    "accepted": {
        "give_up": ("dispatched",), "return": ("received",), "ask": ("accepted",), "answer": ("accepted",),
        "postpone": ("accepted",), "finish": ("done",), "receive": ("done",), "follow": ("accepted",),
        "publish": ("accepted",), "correct_area": ("accepted",),
    },
    "done": {
        "confirm": ("closed",), "rate": ("closed", "dispatched"), "follow": ("done",), "thank": ("done",),
        "publish": ("done",), "collect": ("closed",), "unreceive": ("accepted",),
        "give_back": ("received",),
    },
    "closed": {
        "confirm": ("closed",), "rate": ("closed", "dispatched"), "reopen": ("dispatched",), "thank": ("closed",),
        "publish": ("closed",), "uncollect": ("done",),
    },
    "refused": {"confirm": ("refused",)},
    "merged": {},
    "withdrawn": {},
}  # fmt: skip
"""What each status knows, and the statuses that follow, the usual one first. Silence closes `done` besides."""

Rater = Literal["resident", "community"]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a matter while its row is locked.

    `helpers` are those who help now, `floor` is the level of its category, `rated` who has rated this finish.
    `now` is the moment of the act. `waits`: earlier reports of the same person were untrue, so this is looked at first.
    """

    kind: MatterKind
    status: MatterStatus
    level: MatterLevel
    floor: MatterLevel = "grid"
    open_to: OpenTo = "assigned"
    at_home: bool = False
    people_wanted: int = 1
    helpers: int = 0
    returns: int = 0
    returns_max: int = 2
    final: bool = False
    postponed: bool = False
    rated: frozenset[str] = frozenset()
    closed_at: datetime | None = None
    reopen_days: int = 30
    due_at: datetime | None = None
    first_due_at: datetime | None = None
    received_at: datetime | None = None
    now: datetime | None = None
    has_unit: bool = False
    waits: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller is to a matter.

    `rank`: the highest level whose matters they dispatch here, -1 for none. `reporter`: they are who spoke, whom it is
    for, or a guardian of them; `proven`: a scan or a call stands for that person. `handler`: the contact of its unit, a
    leader of its team, or the person it was given to; `leads`: of those, who may return it. `eligible`: it may be taken
    by them, were it dispatched. `near_served`: not independent of the person it is for; `party`: of anybody in it.
    `duty`: they work in its area. `typed`: they entered it for somebody. `offered`: they may read what is offered.
    `keeps`: they serve at the station where the gift for a wish is. `rank_there`: the rank at the place to which it is
    corrected, at best where none is chosen yet; `leaves_grid`: that is in another grid; `gives_away`: theirs loses it.
    """

    rank: int = -1
    reporter: bool = False
    proven: bool = False
    handler: bool = False
    leads: bool = False
    helper: bool = False
    eligible: bool = False
    resident: bool = False
    vetted: bool = False
    near_served: bool = False
    party: bool = False
    duty: bool = False
    typed: bool = False
    offered: bool = False
    keeps: bool = False
    rank_there: int = -1
    leaves_grid: bool = False
    gives_away: bool = False

    def dispatches(self, level: MatterLevel) -> bool:
        return self.rank >= LEVELS.index(level)

    def is_above(self, level: MatterLevel) -> bool:
        return self.rank > LEVELS.index(level)


def decide(facts: Facts, verb: Verb, caller: Standing, *, solved: bool = True) -> MatterStatus:
    """The status after the verb. Raises the refusal: Forbidden or its kin for the caller, MatterMovedOn for the status.

    Who may never do it is refused so in every status; who may do it in another one learns the present one.
    """
    if refusal := WHO[verb](facts, caller):
        raise refusal
    if verb not in NEXT[facts.status]:
        raise _moved_on(facts, verb)
    following = NEXT[facts.status][verb]
    if refusal := _not_now(facts, verb, caller):
        raise refusal
    if verb == "take":
        full = facts.kind != "order" or facts.helpers + 1 >= facts.people_wanted
        return "accepted" if full else "dispatched"
    if verb == "rate":
        return "closed" if solved else "dispatched"
    return following[0]


def may(facts: Facts, caller: Standing) -> list[Verb]:
    """The verbs that the caller may use now, for the buttons of a page."""
    return [verb for verb in NEXT[facts.status] if not (WHO[verb](facts, caller) or _not_now(facts, verb, caller))]


def _moved_on(facts: Facts, verb: Verb) -> TimebankError:
    if verb == "take" and facts.status in ("accepted", "done", "closed"):
        return MatterAlreadyTaken()
    return MatterMovedOn(now=STATUSES[facts.status])


def _of_dispatcher(facts: Facts, caller: Standing) -> TimebankError | None:
    """A dispatcher of the level or above."""
    return None if caller.dispatches(facts.level) else Forbidden()


def _of_outsider(facts: Facts, caller: Standing) -> TimebankError | None:
    """A dispatcher who is no party to who spoke and whom it is for; else the level above does it."""
    return _of_dispatcher(facts, caller) or (PartyToMatter() if caller.near_served else None)


def _of_confirmer(facts: Facts, caller: Standing) -> TimebankError | None:
    """A dispatcher who is no party to anybody in it: what earns follows from this word alone."""
    return _of_dispatcher(facts, caller) or (PartyToMatter() if caller.party else None)


def _of_taker(facts: Facts, caller: Standing) -> TimebankError | None:
    if not caller.eligible:
        return Forbidden()
    if facts.kind in ("order", "wish") and caller.near_served:
        return OwnOrder()
    return NotVetted() if facts.at_home and not caller.vetted else None


def _of_leaver(facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.helper or (caller.handler and facts.kind != "order") else Forbidden()


def _of_handler(_facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.helper or caller.handler else Forbidden()


def _of_leader(_facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.leads else Forbidden()


def _of_asker(facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.handler or caller.helper or caller.dispatches(facts.level) else Forbidden()


def _of_reporter(_facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.reporter else NotTheReporter()


def _of_rater(facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.reporter or caller.proven or _rates_unit(facts, caller) else NotTheReporter()


def _of_reopener(facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.reporter or caller.dispatches(facts.level) else NotTheReporter()


def _of_resident(_facts: Facts, caller: Standing) -> TimebankError | None:
    return None if caller.resident else Forbidden()


def _of_keeper(facts: Facts, caller: Standing) -> TimebankError | None:
    """The keeper of the station, who is neither giver nor receiver of a wish, nor near one of them."""
    if facts.kind != "wish" or not caller.keeps:
        return Forbidden()
    return PartyToMatter() if caller.party or caller.helper or caller.handler else None


def _of_corrector(facts: Facts, caller: Standing) -> TimebankError | None:
    """A dispatcher of the place that gets it; once it was dispatched, another grid gets it by the community alone.

    Never who is a party, who handles it, or whose own grid would lose it from its figures.
    """
    if caller.rank_there < max(LEVELS.index(facts.level), caller.leaves_grid and facts.status != "received"):
        return Forbidden()
    if caller.gives_away:
        return LeavesOwnGrid()
    return PartyToMatter() if caller.near_served or caller.handler or caller.helper else None


def _rates_unit(facts: Facts, caller: Standing) -> bool:
    """The community rates a unit that handled its matter: an administrator there who is no party."""
    return facts.has_unit and caller.rank >= LEVELS.index("community") and not caller.party


def rater(caller: Standing) -> Rater:
    """For whom the caller rates."""
    return "resident" if caller.reporter or caller.proven else "community"


WHO: Mapping[Verb, Callable[[Facts, Standing], TimebankError | None]] = {
    "dispatch": _of_outsider, "hand_up": _of_dispatcher, "hand_down": _of_dispatcher, "refuse": _of_outsider,
    "merge": _of_outsider, "confirm": _of_confirmer, "postpone": _of_dispatcher, "publish": _of_dispatcher,
    "take": _of_taker, "give_up": _of_leaver, "finish": _of_handler, "return": _of_leader, "ask": _of_asker,
    "answer": _of_reporter, "withdraw": _of_reporter, "rate": _of_rater, "reopen": _of_reopener,
    "follow": _of_resident, "thank": _of_resident,
    "receive": _of_keeper, "collect": _of_keeper, "unreceive": _of_keeper, "uncollect": _of_keeper,
    "correct_area": _of_corrector, "give_back": _of_keeper,
}  # fmt: skip
"""By verb: why a caller may not use it in any status, or None."""


def _not_now(facts: Facts, verb: Verb, caller: Standing) -> TimebankError | None:
    """Why the verb, which the caller may use and the status knows, is not possible now."""
    if facts.kind == "wish" and verb in ("finish", "rate", "confirm") and facts.status in ("accepted", "done"):
        return WishGoesToStation() if verb == "finish" else WishNotCollected()
    return _not_yet(facts, verb, caller)


def _not_yet(facts: Facts, verb: Verb, caller: Standing) -> TimebankError | None:
    match verb:
        case "take" if caller.helper or facts.helpers >= max(facts.people_wanted, 1):
            return MatterAlreadyTaken()
        case "give_up" if facts.status == "dispatched":
            return None if caller.helper else MatterMovedOn(now=STATUSES[facts.status])
        case "return":
            return ReturnNotPossible() if facts.final else None
        case "dispatch":
            return ReportsWait() if facts.waits else None
        case "confirm" if facts.status == "received":
            return None if facts.waits else MatterMovedOn(now=STATUSES[facts.status])
        case "hand_up":
            return NoHigherLevel() if facts.level == LEVELS[-1] else None
        case "hand_down":
            return NoLowerLevel() if LEVELS.index(facts.level) <= LEVELS.index(facts.floor) else None
        case "rate":
            return AlreadyRated() if rater(caller) in facts.rated else None
        case "reopen":
            return too_late_to_reopen(facts)
    return None


def too_late_to_reopen(facts: Facts) -> TimebankError | None:
    """Why what was closed long ago is not opened again; None in time, or where it is not closed yet."""
    if facts.closed_at is None or facts.now is None:
        return None
    is_late = facts.now > facts.closed_at + timedelta(days=facts.reopen_days)
    return ReopenTooLate(days=facts.reopen_days) if is_late else None
