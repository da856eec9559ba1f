"""Request and response types of places and of working days."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

PlaceKind = Literal["county", "street", "community", "grid", "building", "unit"]
AREA_KINDS = frozenset({"grid", "building", "unit"})
PlaceName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]


class PlaceIn(msgspec.Struct, forbid_unknown_fields=True):
    """A place to add below `parent_id`. A county and a grid have no parent; a building may have none."""

    kind: PlaceKind
    name: PlaceName
    parent_id: UUID | None = None


class Renaming(msgspec.Struct, forbid_unknown_fields=True):
    name: PlaceName


class PlaceOut(msgspec.Struct, kw_only=True):
    """A county, street, community, grid, building or unit. `community_id` is null for counties and streets."""

    id: UUID
    kind: PlaceKind
    name: str
    parent_id: UUID | None
    community_id: UUID | None


class OfficialDay(msgspec.Struct, kw_only=True, frozen=True):
    """A day that differs from the rule of Monday to Friday: a holiday, or a weekend day on which people work."""

    day: date
    works: bool
    name: str


class OfficialYear(msgspec.Struct, kw_only=True, frozen=True):
    """The differing days of a whole year. `estimated`: computed before the State Council's notice, so without swaps."""

    year: int
    estimated: bool
    days: list[OfficialDay]


class WorkdayIn(msgspec.Struct, forbid_unknown_fields=True):
    """A day that a county sets by hand, with the reason, which everybody may read."""

    day: date
    works: bool
    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


class ClearedWorkday(msgspec.Struct, forbid_unknown_fields=True):
    """A day of the county that is to follow the whole country again."""

    day: date


class WorkdayOut(msgspec.Struct, kw_only=True, frozen=True):
    """A differing day as it holds in a county: of the county itself (`source` county), or of the whole country."""

    day: date
    works: bool
    name: str
    source: Literal["library", "notice", "county"]
    estimated: bool
    set_by: UUID | None
    set_at: datetime


class WorkYear(msgspec.Struct, kw_only=True, frozen=True):
    """A year as it holds in a county: the number of its workdays, and the days that differ from Monday to Friday."""

    year: int
    workdays: int
    estimated: bool
    days: list[WorkdayOut]
