"""Request and response shapes of units, their links to communities, and reporting in."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

UnitKind = Literal["department", "utility", "institution", "firm", "school", "property", "group"]
LinkKind = Literal["handler", "co_builder", "stationed", "sponsor"]
UnitName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]


class UnitIn(msgspec.Struct, forbid_unknown_fields=True):
    """A unit to enter for a county."""

    county_id: UUID
    name: UnitName
    kind: UnitKind


class UnitChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Changes of a unit; a field that is not sent stays as it is."""

    name: UnitName | UnsetType = UNSET
    kind: UnitKind | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class UnitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of the county. `links`: what it is to the community now."""

    id: UUID
    county_id: UUID
    name: str
    kind: UnitKind
    active: bool
    links: list[LinkKind]


class LinkIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the unit is to the community."""

    kind: LinkKind


class LinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit is to the community, since when; `ends_on` is the last day, if it has ended."""

    id: UUID
    unit_id: UUID
    kind: LinkKind
    starts_on: date
    ends_on: date | None


class AffiliationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who reports in from which unit, since when (today where it is left out)."""

    person_id: UUID
    unit_id: UUID
    reported_on: date | None = None


class AffiliationOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person's reporting-in from a unit. `ended_on` is the first day on which it no longer holds."""

    id: UUID
    person_id: UUID
    unit_id: UUID
    unit_name: str
    reported_on: date
    ended_on: date | None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who reported in from a unit. `person_id` only for those who may open the person."""

    id: UUID
    person_id: UUID | None
    name: str
    reported_on: date
    ended_on: date | None


Few = Literal["<5"]


class CommunityShare(msgspec.Struct, frozen=True, kw_only=True):
    """What of a unit's figures is of one community. "<5": fewer than five people, and therefore not shown."""

    community_id: UUID
    community: str
    reported: int | Few
    served: int | Few
    minutes: int | Few


class UnitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many reported in from a unit, how many of them served in the period, and how many credited minutes.

    Each sum holds only what `by_community` shows. `first` and `last` are the days that were counted: whole months for
    whoever does not read the community itself.
    """

    unit_id: UUID
    name: str
    first: date
    last: date
    reported: int
    served: int
    minutes: int
    by_community: list[CommunityShare]
