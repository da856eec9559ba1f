"""Request and response bodies of scans, and the verdicts on them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.core.clock import Moment
from timebank.core.wording import Said

Nonce = Annotated[str, Meta(min_length=22, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ShownCode = Annotated[str, Meta(pattern=r"^[0-9]{4} ?[0-9]{4}$")]
"""The eight digits of a collection or attendance code, as somebody shows or reads them out at a counter."""
Direction = Literal["in", "out", "auto"]

BATCH_MAX = 100


class ScanIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One scan: a station's code by a volunteer, or a person's code or card by a counter.

    `nonce` is made by the device before it sends anything; repeating it returns the stored verdict. `station_id` is for
    a keeper of several stations, `person_id` for a login that stands for several residents of the community.
    `device_now` is the device's time when it sends an offline scan: `occurred_at` is corrected by its difference from
    the server's time. `purpose` "look" identifies a person at the counter and checks nobody in or out.
    """

    code: Annotated[str, Meta(min_length=1, max_length=600, pattern=r"^[^\x00]*$")]
    nonce: Nonce
    direction: Direction = "auto"
    occurred_at: Moment | None = None
    offline: bool = False
    device_now: Moment | None = None
    activity_id: UUID | None = None
    shift_id: UUID | None = None
    station_id: UUID | None = None
    person_id: UUID | None = None
    purpose: Literal["visit", "look"] = "visit"


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 100 scans, each like the body of POST /checkins. A row that cannot be read is refused alone.

    `device_now` is the device's time when it sends them, for every row without its own.
    """

    rows: Annotated[list[dict[str, object]], Meta(min_length=1, max_length=BATCH_MAX)]
    device_now: Moment | None = None


class PersonSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The person of a scan. The full name is for the person and for the keeper who has just scanned."""

    id: UUID
    name: str
    masked_name: str


class VisitSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    in_at: datetime
    out_at: datetime | None
    minutes: int | None
    station_id: UUID
    station: str
    activity: str | None


class Credited(msgspec.Struct, frozen=True, kw_only=True):
    """What a check-out credited. `minutes_left` is the time account's balance afterwards, which makes no point yet."""

    minutes: int = 0
    points: int = 0
    minutes_left: int | None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a scan. `direction` is what was done; `attention` holds codes for the keeper."""

    status: Literal["ok", "incomplete", "error"]
    reason: str | None = None
    direction: Literal["in", "out"] | None = None
    person: PersonSeen | None = None
    visit: VisitSeen | None = None
    credited: Credited = Credited()
    record_id: UUID | None = None
    attention: list[str] = []
    replayed: bool = False


class Verdict(Judged, frozen=True, kw_only=True):
    """A verdict as it is stored; its sentences are translated for each reader."""

    said: list[Said] = []

    def texts(self, language: str = "zh") -> list[str]:
        return [sentence.text(language) for sentence in self.said]


class VerdictOut(Judged, frozen=True, kw_only=True):
    """A verdict as it is returned; `texts` are its sentences in the reader's language."""

    texts: list[str] = []


def verdict_in_language(verdict: Verdict, language: str) -> VerdictOut:
    """A verdict in its reader's language."""
    shared = {name: getattr(verdict, name) for name in Judged.__struct_fields__}
    return VerdictOut(**shared, texts=verdict.texts(language))


class BatchOut(msgspec.Struct):
    results: list[VerdictOut]
