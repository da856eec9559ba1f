"""The levels that dispatch, and what a return makes of the counters of a matter: pure."""

import msgspec

from timebank.matters.loop.deciding import Facts
from timebank.matters.schemas import LEVELS, MatterLevel


class Returned(msgspec.Struct, frozen=True):
    """What a return makes of the counters: at the maximum the level above decides for good."""

    returns: int
    level: MatterLevel
    final: bool


def returned(facts: Facts) -> Returned:
    """After this return. The clock never stops, so that nobody gains by it."""
    returns = facts.returns + 1
    if returns < facts.returns_max:
        return Returned(returns, facts.level, final=False)
    return Returned(returns, level_above(facts.level), final=True)


def level_above(level: MatterLevel) -> MatterLevel:
    """One level up; the county stays."""
    return LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]


def level_below(level: MatterLevel) -> MatterLevel:
    """One level down; the grid stays."""
    return LEVELS[max(LEVELS.index(level) - 1, 0)]
