"""The invariants between the ledger's rows, and between them and the rows they refer to: one statement each.

Every statement reads one snapshot of one community ($1) and returns one row per violation: `ids`, and the values of
its sentence. $2 is the maximum number of rows, $3 the time zone of local days. Each reads a whole table once and joins
by equality, so that hash joins are possible; none looks up row by row. A capability declares the invariants of its own
rows in its manifest.

A value that is stored in only one row cannot be verified: a memo, the time of an event, the actor, the last day of an
account's points. A change of those is not detected.
"""

from timebank.core.capability import capabilities, resolve
from timebank.ledger.checking.invariants.parts import Invariant
from timebank.ledger.checking.invariants.sources import of_sources

__all__ = ["Invariant", "invariants"]


def invariants() -> tuple[Invariant, ...]:
    """Every invariant: those that the capabilities declare, then those of all sources together."""
    manifests = capabilities()
    declared = [invariant for one in manifests if one.invariants for invariant in resolve(one.invariants)]
    return (*declared, *of_sources([source for one in manifests for source in one.sources]))
