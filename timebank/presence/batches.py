"""Scans that a device stored while it was offline, sent together."""

from datetime import UTC, datetime

import msgspec

from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.presence.evidence.device_clock import DeviceClock, goes_back, measured
from timebank.presence.scanning import scan
from timebank.presence.schemas import BatchOut, ScanIn, Verdict, verdict_in_language
from timebank.presence.words import REASONS


async def scan_batch(
    scope: Scope, rows: list[dict[str, object]], language: str, *, device_now: datetime | None = None
) -> BatchOut:
    """Judge scans that a device stored offline, the earliest first; each has its own transaction and outcome.

    The device's clock is compared with the server's once, when the batch arrives. The rows should be in the order in
    which they were made: times that go back show that the device's clock was changed between them.
    """
    received_at = clock.now()
    read = [_read(row) for row in rows]
    told_times = [row.occurred_at for row in read if row and row.offline and row.occurred_at]
    set_back = goes_back(told_times)
    clocks = [measured((row and row.device_now) or device_now, received_at, is_set_back=set_back) for row in read]
    times = [_made_at(row, clock_of, received_at) for row, clock_of in zip(read, clocks, strict=True)]
    verdicts: dict[int, Verdict] = {}
    for place in sorted(range(len(read)), key=lambda n: times[n]):
        row = read[place]
        if row is None:
            verdicts[place] = Verdict(status="error", reason="error", said=[said(REASONS["unreadable"])])
            continue
        verdicts[place] = await _row(scope, row, clocks[place])
    return BatchOut([verdict_in_language(verdicts[place], language) for place in range(len(read))])


def _made_at(row: ScanIn | None, clock_of: DeviceClock, received_at: datetime) -> datetime:
    """The time of a scan by the server's clock, to sort a batch; scans that will be refused come last."""
    if row is None or not row.offline or row.occurred_at is None:
        return received_at
    try:
        return clock_of.corrected(row.occurred_at).astimezone(UTC)
    except OverflowError:
        return received_at


def _read(row: dict[str, object]) -> ScanIn | None:
    try:
        return msgspec.convert(row, ScanIn)
    except msgspec.ValidationError:
        return None


async def _row(scope: Scope, row: ScanIn, clock_of: DeviceClock) -> Verdict:
    try:
        return await scan(scope, row, clock_of=clock_of)
    except TimebankError as refusal:
        if refusal.status >= 500:
            raise  # the device keeps all rows and retries; the nonces make that idempotent
        return Verdict(status="error", reason="error", said=[said(refusal.sentence, **refusal.values)])
