"""What the reason for no points is made from, as a row of a visit `v` and a record `r` gives it."""

from datetime import datetime, time

import msgspec

from timebank.core import clock
from timebank.core.wording import read_phrase
from timebank.service_records.account.no_points import Judged, NoPoints, Stay, why_no_points
from timebank.service_records.account.words import no_points_in_words
from timebank.service_records.schemas import WhyNoPoints

# Of a visit `v`.
STAY_COLUMNS = "v.opens_at, v.closes_at, f.starts_at AS shift_begin, f.ends_at AS shift_end, v.paid"
# By index for each visit: OFFSET 0 keeps it from becoming a join with the whole table where there are few shifts.
STAY_JOIN = (
    "LEFT JOIN LATERAL (SELECT starts_at, ends_at FROM shift WHERE community_id = v.community_id AND id = v.shift_id "
    "OFFSET 0) AS f ON true "
)
# Of a record `r`, which may be missing.
RECORD_COLUMNS = (
    "r.kind AS record_kind, r.notice_until, w.minutes_per_point AS per_point, "
    "(SELECT coalesce(sum(t.amount), 0)::bigint FROM transfer t WHERE t.community_id = r.community_id "
    "AND t.entry_id = r.entry_id AND t.kind = 'repayment' AND t.currency = 'point') AS repaid, "
    "r.status = 'noticed' AND EXISTS (SELECT FROM objection o WHERE o.community_id = r.community_id "
    "AND o.subject_kind = 'service_record' AND o.subject_id = r.id AND o.upheld IS NULL) AS objected"
)
RECORD_JOIN = (
    "LEFT JOIN rule w ON w.community_id = r.community_id AND w.code = r.rule_code AND w.version = r.rule_version "
)


class WhyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one row; those of a visit are null for hours that were entered by hand."""

    in_at: datetime | None
    out_at: datetime | None
    status: str | None
    opens_at: time | None
    closes_at: time | None
    shift_begin: datetime | None
    shift_end: datetime | None
    paid: bool | None
    record_kind: str | None
    record_status: str | None
    minutes: int | None
    credited_minutes: int | None
    credited_points: int | None
    flags: list[str]
    review_note: str | None
    review_said: str | None
    notice_until: datetime | None
    per_point: int | None
    repaid: int | None
    objected: bool | None

    def why(self, least_minutes: int) -> NoPoints | None:
        """Why this has earned no points; None where they came."""
        return why_no_points(self._stay(), self._record(), least_minutes=least_minutes, now=clock.now())

    def _stay(self) -> Stay | None:
        if self.in_at is None or self.opens_at is None or self.closes_at is None or self.status is None:
            return None
        return Stay(
            status=self.status, came_at=self.in_at, left_at=self.out_at, opens_at=self.opens_at,
            closes_at=self.closes_at, shift_begin=self.shift_begin, shift_end=self.shift_end,
            paid=bool(self.paid),
        )  # fmt: skip

    def _record(self) -> Judged | None:
        if self.record_status is None:
            return None
        return Judged(
            kind=self.record_kind or "credit", status=self.record_status, minutes=self.minutes or 0, flags=self.flags,
            why=read_phrase(self.review_said), note=self.review_note, notice_until=self.notice_until,
            credited_minutes=self.credited_minutes or 0, credited_points=self.credited_points or 0,
            per_point=self.per_point, repaid=self.repaid or 0, objected=bool(self.objected),
        )  # fmt: skip


def no_points_out(why: NoPoints | None, language: str) -> WhyNoPoints | None:
    """The reason as it is shown."""
    return WhyNoPoints(kind=why.kind, text=no_points_in_words(why, language)) if why else None
