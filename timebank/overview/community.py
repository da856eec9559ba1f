"""The figures of the panel's first page besides what waits in the inbox: the community's totals."""

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency
from timebank.ledger.totals import issued_since
from timebank.shop.shelves.low import IS_LOW

LOOKED_AT = 200


class Totals(msgspec.Struct, kw_only=True):
    """The community's totals, and what is looked after besides the inbox.

    `resting`, the spending pauses, are counted up to 200. `minutes_this_month` are the minutes credited this month less
    those reversed, from the daily totals.
    """

    resting: int
    low_goods: int
    people: int
    present: int
    reserved: int
    minutes_this_month: int = 0


_TOTALS = f"""
SELECT
  (SELECT count(*) FROM (SELECT FROM spending_rest WHERE community_id = $1 AND ended_at IS NULL AND until > $2 LIMIT $3)
    AS rests) AS resting,
  (SELECT count(*) FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id
   WHERE s.community_id = $1 AND {IS_LOW}) AS low_goods,
  (SELECT count(*) FROM person WHERE community_id = $1 AND status = 'active') AS people,
  (SELECT count(*) FROM visit WHERE community_id = $1 AND status = 'open') AS present,
  (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved
"""  # noqa: S608  # IS_LOW is a constant


async def read_totals(scope: Scope) -> Totals:
    """The totals of the scope's community, for administrators and auditors."""
    scope.require_reader()
    first = clock.local_day().replace(day=1)
    async with transaction(scope), database.gathering() as reads:
        minutes = reads.start(issued_since(scope, first, Currency.minute))
        counted = reads.start(database.row(Totals, _TOTALS, scope.community_id, clock.now(), LOOKED_AT))
    found = counted.result()
    assert found is not None
    return msgspec.structs.replace(found, minutes_this_month=minutes.result())
