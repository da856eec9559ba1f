"""Request and response bodies of the shop."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from timebank.presence.schemas import Nonce, ShownCode

GoodName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Unit = Annotated[str, Meta(min_length=1, max_length=10, pattern=r"^[^\x00]*$")]
Points = Annotated[int, Meta(ge=1, le=1_000_000)]
MonthlyLimit = Annotated[int, Meta(ge=1, le=10_000)]
Quantity = Annotated[int, Meta(ge=1, le=99)]
StockQuantity = Annotated[int, Meta(ge=0, le=1_000_000)]
Note = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=2, max_length=500, pattern=r"^[^\x00]*$")]
RedemptionStatus = Literal["reserved", "collected", "cancelled", "expired", "returned"]


class GoodIn(msgspec.Struct, forbid_unknown_fields=True):
    """A good that points are exchanged for; `monthly_limit` is per household and month, null for none."""

    name: GoodName
    points: Points
    unit: Unit = "件"
    monthly_limit: MonthlyLimit | None = None


class GoodChange(msgspec.Struct, forbid_unknown_fields=True):
    """Changes of a good; fields left out stay unchanged. Existing reservations keep their price."""

    name: GoodName | UnsetType = UNSET
    points: Points | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    monthly_limit: MonthlyLimit | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class StationStock(msgspec.Struct, frozen=True, kw_only=True):
    """Stock of a good at a station: `quantity` is free, `reserved` belongs to open reservations."""

    station_id: UUID
    station: str
    quantity: int
    reserved: int


class GoodOut(msgspec.Struct, frozen=True, kw_only=True):
    """A good; `photo` is the address of its photo, `stock` its stock at each station."""

    id: UUID
    name: str
    unit: str
    points: int
    monthly_limit: int | None
    active: bool
    photo: str | None
    stock: list[StationStock]


class Receipt(msgspec.Struct, forbid_unknown_fields=True):
    """Goods received at a station."""

    station_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    note: Note | None = None


class Count(msgspec.Struct, forbid_unknown_fields=True):
    """How many were counted on the shelf, including the reserved ones."""

    station_id: UUID
    counted: StockQuantity
    note: Note | None = None


class RedemptionIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Reserve a good, or with `collect_now` redeem it at once at the counter.

    `collect_now` needs `presence`: the nonce of a scan of that person at this station in the last 5 minutes. An
    administrator who reserves for a resident gives the `reason`, which the household reads.
    """

    person_id: UUID
    good_id: UUID
    station_id: UUID
    quantity: Quantity = 1
    collect_now: bool = False
    presence: Nonce | None = None
    reason: Reason | None = None

    def __post_init__(self) -> None:
        if self.reason is not None and self.collect_now:
            raise ValueError("a reason is for a reservation, not for collect_now")


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption after a change. `code` is the collection code to show at the counter.

    It is null unless reserved, and for an administrator who has reserved for a resident: only the person reads it.
    """

    id: UUID
    status: RedemptionStatus
    code: str | None
    points: int
    expires_at: datetime


class Collection(msgspec.Struct, forbid_unknown_fields=True):
    """The collection code, or as `presence` the nonce of a scan of the person at this station in the last 5 minutes."""

    code: ShownCode | None = None
    presence: Nonce | None = None

    def __post_init__(self) -> None:
        if self.code is None and self.presence is None:
            raise ValueError("give code or presence")


class Return(msgspec.Struct, forbid_unknown_fields=True):
    reason: Reason


class RedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption as its reader may see it; `code` is null for everybody but the person.

    A keeper reads names masked and without the person's id, except of a person who has just shown a code or card.
    `reason`: of an administrator who reserved for the person, who then needs the own code or card; null otherwise.
    """

    id: UUID
    person_id: UUID | None
    person: str
    good_id: UUID
    good: str
    unit: str
    photo: str | None
    station_id: UUID
    station: str
    quantity: int
    points: int
    status: RedemptionStatus
    code: str | None
    reserved_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    returned_at: datetime | None
    reason: str | None = None
