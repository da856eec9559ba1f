"""The figures of the panel's first page: what waits for a decision, and the community's totals."""

from collections import Counter
from uuid import UUID

import msgspec

from timebank.agreements.independence import near
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency
from timebank.ledger.totals import issued_since
from timebank.objections.listing import undecided_parties
from timebank.overview.changes_listed import count_yours
from timebank.service_records.reviews.deciding import scanned_by
from timebank.shop.confirmations.asking import waits_since
from timebank.shop.confirmations.listing import list_confirmations

LOW_STOCK = 3
LOOKED_AT = 200


class WaitingCounts(msgspec.Struct, kw_only=True):
    """How much waits for a decision, and the community's totals.

    `resting`, the spending pauses, are counted up to 200. `minutes_this_month` are the minutes credited this month less
    those reversed, from the daily totals.
    """

    records: int
    doubtful: int
    deeds: int
    objections: int
    agreements: int
    confirmations: int
    resting: int
    low_goods: int
    people: int
    present: int
    reserved: int
    minutes_this_month: int = 0


_WAITING = """
SELECT
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending') AS records,
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending' AND flags <> '{}') AS doubtful,
  (SELECT count(*) FROM deed WHERE community_id = $1 AND status = 'filed') AS deeds,
  (SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL) AS objections,
  (SELECT count(*) FROM waiting_change WHERE community_id = $1 AND status = 'waiting') AS agreements,
  (SELECT count(*) FROM counter_confirmation WHERE community_id = $1 AND status = 'waiting' AND asked_at >= $3)
    AS confirmations,
  (SELECT count(*) FROM (SELECT FROM spending_rest WHERE community_id = $1 AND ended_at IS NULL AND until > $4 LIMIT $5)
    AS rests) AS resting,
  (SELECT count(*) FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id
   WHERE s.community_id = $1 AND g.active AND s.quantity <= $2) AS low_goods,
  (SELECT count(*) FROM person WHERE community_id = $1 AND status = 'active') AS people,
  (SELECT count(*) FROM visit WHERE community_id = $1 AND status = 'open') AS present,
  (SELECT count(*) FROM redemption WHERE community_id = $1 AND status = 'reserved') AS reserved
"""


class Yours(msgspec.Struct, frozen=True):
    """How much of what waits the caller may decide; the rest needs somebody else."""

    records: int
    deeds: int
    objections: int
    agreements: int
    confirmations: int


_OWN = """
SELECT
  (SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending' AND entered_by = $2) AS records,
  (SELECT count(*) FROM deed WHERE community_id = $1 AND status = 'filed' AND filed_by = $2) AS deeds
"""


def _parties() -> str:
    return f"""
(SELECT 'records' AS what, ARRAY[coalesce(s.entered_by, s.person_id)] AS acted, ARRAY[s.person_id] AS concerns,
        s.visit_id, '{{}}'::uuid[] AS logins
 FROM service_record s
 WHERE s.community_id = $1 AND s.status = 'pending' AND (s.entered_by = $3) IS NOT TRUE LIMIT $2)
UNION ALL
(SELECT 'deeds', ARRAY[d.filed_by], ARRAY[d.person_id, d.witness_id], NULL, '{{}}' FROM deed d
 WHERE d.community_id = $1 AND d.status = 'filed' AND (d.filed_by = $3) IS NOT TRUE LIMIT $2)
UNION ALL
(SELECT 'objections', o.acted, o.concerns, NULL, o.logins FROM ({undecided_parties()}) AS o LIMIT $2)
"""  # noqa: S608  # declared in manifests


class _Own(msgspec.Struct, frozen=True):
    records: int
    deeds: int


class _Taken(msgspec.Struct, frozen=True):
    what: str
    acted: list[UUID | None]
    concerns: list[UUID | None]
    visit_id: UUID | None
    logins: list[UUID | None]


async def read_work(scope: Scope) -> tuple[WaitingCounts, Yours]:
    """What waits in the scope's community, for administrators and auditors, and how much the caller may decide of it.

    What the caller entered is subtracted in full, since one import can enter thousands; of the rest, only the first 200
    of each kind are checked for other involvement of the caller.
    """
    scope.require_reader()
    first = clock.local_day().replace(day=1)
    async with transaction(scope), database.gathering() as reads:
        minutes = reads.start(issued_since(scope, first, Currency.minute))
        work = reads.start(_work(scope))
    counted, yours = work.result()
    return msgspec.structs.replace(counted, minutes_this_month=minutes.result()), yours


async def _work(scope: Scope) -> tuple[WaitingCounts, Yours]:
    async with database.gathering() as reads:
        counting = reads.start(
            database.row(WaitingCounts, _WAITING, scope.community_id, LOW_STOCK, waits_since(), clock.now(), LOOKED_AT)
        )
        entered = reads.start(database.row(_Own, _OWN, scope.community_id, scope.actor_id))
        listed = reads.start(database.rows(_Taken, _parties(), scope.community_id, LOOKED_AT, scope.actor_id))
    counted, own, taken = counting.result(), entered.result(), listed.result()
    assert counted is not None and own is not None  # noqa: PT018
    async with database.gathering() as reads:
        involved = reads.start(
            near(
                scope, [person for each in taken for person in (*each.acted, *each.concerns)],
                [login for each in taken for login in each.logins],
            )
        )  # fmt: skip
        decides = reads.start(count_yours(scope, counted.agreements))
        asked = reads.start(list_confirmations(scope)) if counted.confirmations else None
        hands = reads.start(scanned_by(scope, [each.visit_id for each in taken]))
    close, scanned = involved.result(), hands.result()
    others = Counter(
        each.what
        for each in taken
        if each.visit_id in scanned or not close.is_uninvolved([*each.acted, *each.logins], each.concerns)
    )
    return counted, Yours(
        counted.records - own.records - others["records"], counted.deeds - own.deeds - others["deeds"],
        counted.objections - others["objections"], decides.result(),
        sum(each.may_decide for each in asked.result()) if asked else 0,
    )  # fmt: skip
