"""The stories of the demo: what one person does, carried out by the same functions that serve real people.

A story is a list of steps, each with its time, its person and its action. A refused step is reported and not forced.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from timebank.core import clock, codes
from timebank.core.scope import Role, Scope
from timebank.deeds.filing.filing import file_deed
from timebank.deeds.review import review_deed
from timebank.deeds.schemas import DeedIn
from timebank.deeds.witness import answer_as_witness
from timebank.demo.place import Place
from timebank.demo.population import NIL, Resident
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.review import review_record
from timebank.service_records.schemas import HoursIn, ReviewIn
from timebank.shop.cancelling import cancel
from timebank.shop.collection import collect
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn


class Step(NamedTuple):
    """An action at a time. Steps of the same `lane` are carried out one after the other."""

    at: datetime
    lane: UUID
    do: Callable[[], Awaitable[object]]


class Story(Protocol):
    def steps(self) -> Iterator[Step]: ...


@dataclass(frozen=True, slots=True)
class Once:
    """A story of one step."""

    step: Step

    def steps(self) -> Iterator[Step]:
        yield self.step


class Refused(RuntimeError):
    """A scan whose verdict is not ok."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """A person serves at a station, with scans of the station code, or of a personal code or card at the counter."""

    place: Place
    person: Resident
    station: str
    came: datetime
    left: datetime | None
    by: str = "station_code"
    reversed_at: datetime | None = None
    _record_id: UUID | None = None

    def steps(self) -> Iterator[Step]:
        yield Step(self.came, self.person.id, self._scan)
        if self.left is not None:
            yield Step(self.left, self.person.id, self._scan)
        if self.reversed_at is not None:
            yield Step(self.reversed_at, self.person.id, self._reverse)

    async def _reverse(self) -> None:
        """Reverse the record as an administrator, because the hours were not served."""
        admin = self.place.scope(self.place.holder(Role.community_admin))
        assert self._record_id is not None
        await reverse_record(admin, self._record_id, "值班表上不是这位居民，本人确认扫错了")

    async def _scan(self) -> None:
        place, now, station_id = self.place, clock.now(), self.place.stations[self.station]
        scope = place.keeper(self.station)
        if self.by == "card":
            code = place.cards[self.person.id]
        elif self.by == "personal_code":
            code = f"p/{codes.person_code(place.id, self.person.id, 1, now)}"
        else:
            code, scope = f"c/{codes.station_code(place.id, station_id, 1, now)}", place.scope(self.person)
        verdict = await scan(scope, ScanIn(code=code, nonce=secrets.token_hex(16), station_id=station_id))
        if verdict.status != "ok":
            raise Refused(verdict.reason)
        self._record_id = verdict.record_id


@dataclass(slots=True, kw_only=True)
class Honour:
    """Honour hours entered by hand; an administrator approves them, or they still wait."""

    place: Place
    person: Resident
    entered_by: Resident
    began: datetime
    ended: datetime
    entered: datetime
    reason: str
    approved: datetime | None = None
    _id: UUID = NIL

    def steps(self) -> Iterator[Step]:
        yield Step(self.entered, self.person.id, self._enter)
        if self.approved is not None:
            yield Step(self.approved, self.person.id, self._approve)

    async def _enter(self) -> None:
        wanted = HoursIn(
            person_id=self.person.id,
            started_at=self.began,
            ended_at=self.ended,
            reason=self.reason,
            activity_id=self.place.activities["助餐送餐"],
        )
        self._id = (await enter_hours(self.place.scope(self.entered_by), wanted)).id

    async def _approve(self) -> None:
        admin = self.place.scope(self.place.holder(Role.community_admin))
        await review_record(admin, self._id, ReviewIn("approve", "电话核实过"))


@dataclass(slots=True, kw_only=True)
class Deed:
    """A head files a deed, its witness answers, and the grid worker publishes or returns it, or has not reviewed it.

    The witness of a deed that was not reviewed has not answered either.
    """

    place: Place
    person: Resident
    area: tuple[str, ...]
    rule: str
    note: str
    witness: Resident
    filed: datetime
    reviewed: datetime | None
    rejected: bool = False
    id: UUID = NIL

    def steps(self) -> Iterator[Step]:
        yield Step(self.filed, self.person.id, self._file)
        if self.reviewed is not None:
            yield Step(self.filed + (self.reviewed - self.filed) / 2, self.person.id, self._witness)
            yield Step(self.reviewed, self.person.id, self._review)

    async def _witness(self) -> None:
        await answer_as_witness(self.place.scope(self.witness), self.id, True)

    async def _file(self) -> None:
        wanted = DeedIn(
            person_id=self.person.id,
            rule_code=self.rule,
            area_id=self.place.areas[self.area],
            occurred_on=clock.local_day(),
            note=self.note,
            witness_id=self.witness.id,
        )
        self.id = (await file_deed(self.place.scope(self.person), wanted)).id

    async def _review(self) -> None:
        await review_deed(
            self._reviewer(), self.id, "reject" if self.rejected else "approve",
            "时间和上一条重复，请核对后再报" if self.rejected else "",
        )  # fmt: skip

    def _reviewer(self) -> Scope:
        found = self.reviewer()
        assert found is not None
        return self.place.scope(found)

    def reviewer(self) -> Resident | None:
        """The grid worker, else the administrator, who lives neither with the doer nor with the witness; else None."""
        workers = [worker for worker, area in self.place.offices(Role.grid_worker) if area == self.area[:1]]
        near = (self.person.door, self.witness.door)
        able = [*workers, self.place.holder(Role.community_admin)]
        return next((each for each in able if each.door not in near), None)


@dataclass(slots=True, kw_only=True)
class Redemption:
    """A good reserved at home and collected, cancelled or expired; or redeemed at the counter."""

    place: Place
    person: Resident
    good: str
    station: str
    quantity: int
    reserved: datetime
    ended: datetime | None
    how: str = "collected"
    _id: UUID = NIL
    _code: str = ""

    def steps(self) -> Iterator[Step]:
        yield Step(self.reserved, self.person.id, self._take if self.how == "counter" else self._reserve)
        if self.ended is not None and self.how in ("collected", "cancelled"):
            yield Step(self.ended, self.person.id, self._collect if self.how == "collected" else self._cancel)

    def _wanted(self) -> RedemptionIn:
        place = self.place
        return RedemptionIn(
            person_id=self.person.id,
            good_id=place.goods[self.good].id,
            station_id=place.stations[self.station],
            quantity=self.quantity,
        )

    async def _take(self) -> None:
        """Reserve on the phone at the counter and collect at once."""
        await self._reserve()
        await self._collect()

    async def _reserve(self) -> None:
        made = await redeem(self.place.scope(self.person), self._wanted())
        self._id, self._code = made.id, made.code or ""

    async def _collect(self) -> None:
        await collect(self.place.keeper(self.station), self._id, self._code)

    async def _cancel(self) -> None:
        await cancel(self.place.scope(self.person), self._id)
