"""What must hold between the ledger's rows, and between them and what they stand for: one statement each.

Every statement reads one snapshot of one community ($1) and answers a row per violation: `ids`, and the values that
its sentence names. $2 is how many rows at most, $3 the time zone of the local days. Each reads its tables whole and
once and joins them by equality, so that it can be hashed: none looks a row up for another.

What only one row says of itself cannot be compared with anything: a memo, the moment of an event, who acted, the last
day of an account's points. Changes of those are not found here.
"""

from timebank.ledger.invariants.books import LEDGER
from timebank.ledger.invariants.classes import CLASSES
from timebank.ledger.invariants.credits import CREDITS
from timebank.ledger.invariants.expiries import EXPIRIES
from timebank.ledger.invariants.parts import Invariant
from timebank.ledger.invariants.shop import SHOP

INVARIANTS: tuple[Invariant, ...] = (*LEDGER, *EXPIRIES, *CREDITS, *SHOP, *CLASSES)

__all__ = ["INVARIANTS", "Invariant"]
