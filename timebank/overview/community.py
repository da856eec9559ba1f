"""What waits in a community, and how it stands: the panel's first page."""

from datetime import date

import msgspec

from timebank import clock, database
from timebank.database import transaction
from timebank.scope import Scope

LOW_STOCK = 3


class Waiting(msgspec.Struct):
    """How many of each thing wait for somebody, and how the community stands. This month at most is counted."""

    records: int
    doubtful: int
    deeds: int
    objections: int
    low_goods: int
    people: int
    present: int
    reserved: int
    minutes_this_month: int
    people_this_month: int
    expiring: int


_WAITING = """
SELECT
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending') AS records,
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending' AND flags <> '{}') AS doubtful,
  (SELECT count(*) FROM deed WHERE community_id = $1 AND status = 'filed') AS deeds,
  (SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL) AS objections,
  (SELECT count(*) FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id
   WHERE s.community_id = $1 AND g.active AND s.quantity <= $5) AS low_goods,
  (SELECT count(*) FROM person WHERE community_id = $1 AND status = 'active') AS people,
  (SELECT count(*) FROM visit WHERE community_id = $1 AND status = 'open') AS present,
  (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved,
  (SELECT coalesce(sum(credited_minutes), 0)::bigint FROM service_record WHERE community_id = $1
   AND status = 'approved' AND created_at >= $2) AS minutes_this_month,
  (SELECT count(DISTINCT person_id) FROM service_record WHERE community_id = $1
   AND status = 'approved' AND created_at >= $2) AS people_this_month,
  (SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE community_id = $1 AND currency = 'point'
   AND bucket = 'available' AND owner_kind = 'person' AND expires_on BETWEEN $3 AND $4) AS expiring
"""


async def waiting(scope: Scope) -> Waiting:
    """The counts of the scope's community, in one query."""
    scope.require_reader()
    today = clock.local_day()
    month, _end = clock.day_bounds(today.replace(day=1))
    async with transaction(scope):
        counted = await database.row(
            Waiting, _WAITING, scope.community_id, month, today, date(today.year, 12, 31), LOW_STOCK
        )
    assert counted is not None
    return counted
