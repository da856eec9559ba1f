"""What waits in a community, and how it stands: the panel's first page."""

import msgspec

from timebank import clock, database
from timebank.database import transaction
from timebank.ledger.posting import Currency
from timebank.ledger.totals import issued_since
from timebank.scope import Scope

LOW_STOCK = 3


class Waiting(msgspec.Struct):
    """How many of each thing wait for somebody, and how the community stands.

    What waits is counted by an index of its state; the month's minutes are those credited in it, less what was taken
    back, out of the days' totals.
    """

    records: int
    doubtful: int
    deeds: int
    objections: int
    low_goods: int
    people: int
    present: int
    reserved: int
    minutes_this_month: int


_WAITING = """
SELECT
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending') AS records,
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending' AND flags <> '{}') AS doubtful,
  (SELECT count(*) FROM deed WHERE community_id = $1 AND status = 'filed') AS deeds,
  (SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL) AS objections,
  (SELECT count(*) FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id
   WHERE s.community_id = $1 AND g.active AND s.quantity <= $2) AS low_goods,
  (SELECT count(*) FROM person WHERE community_id = $1 AND status = 'active') AS people,
  (SELECT count(*) FROM visit WHERE community_id = $1 AND status = 'open') AS present,
  (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved,
  $3::bigint AS minutes_this_month
"""


async def waiting(scope: Scope) -> Waiting:
    """The counts of the scope's community."""
    scope.require_reader()
    first = clock.local_day().replace(day=1)
    async with transaction(scope):
        minutes = await issued_since(scope, first, Currency.minute)
        counted = await database.row(Waiting, _WAITING, scope.community_id, LOW_STOCK, minutes)
    assert counted is not None
    return counted
