"""Request and response types of places and policies."""

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
