"""What must hold between the ledger's rows, and between them and what they stand for: one statement each.

Every statement reads one snapshot of one community ($1) and answers a row per violation: `ids`, and the values that
its sentence names. $2 is how many rows at most, $3 the time zone of the local days. Each reads its tables whole and
once and joins them by equality, so that it can be hashed: none looks a row up for another. A capability declares those
of its own rows in its manifest.

What only one row says of itself cannot be compared with anything: a memo, the moment of an event, who acted, the last
day of an account's points. Changes of those are not found here.
"""

from timebank.core.capability import capabilities, resolve
from timebank.ledger.checking.invariants.parts import Invariant
from timebank.ledger.checking.invariants.sources import of_sources

__all__ = ["Invariant", "invariants"]


def invariants() -> tuple[Invariant, ...]:
    """Every promise of the books: those of each capability, then those of all sources together."""
    manifests = capabilities()
    declared = [invariant for one in manifests if one.invariants for invariant in resolve(one.invariants)]
    return (*declared, *of_sources([source for one in manifests for source in one.sources]))
