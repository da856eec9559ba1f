"""The scope: the caller and the community of a call. It is passed to every verb."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from timebank.core.errors import Forbidden, NotFound, NotUsedHere


class Role(StrEnum):
    unit_head = "unit_head"
    building_head = "building_head"
    grid_worker = "grid_worker"
    station_keeper = "station_keeper"
    community_admin = "community_admin"
    street_admin = "street_admin"
    county_admin = "county_admin"
    auditor = "auditor"
    grid_head = "grid_head"
    unit_contact = "unit_contact"
    mediator = "mediator"
    mobile_worker = "mobile_worker"


ADMINS = frozenset({Role.community_admin, Role.street_admin, Role.county_admin})
READERS = ADMINS | {Role.auditor}
HEADS = frozenset({Role.building_head, Role.unit_head})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role in one community (over all of it, over one area and the areas below it, or at one station), or over a
    street or county (`region_id`) and so over every community below it.
    The contact of a unit serves that unit there."""

    role: Role
    community_id: UUID | None = None
    area_id: UUID | None = None
    station_id: UUID | None = None
    region_id: UUID | None = None
    unit_id: UUID | None = None

    def reaches(self, community_id: UUID, path: Collection[UUID]) -> bool:
        """Whether it is a grant in the community, whose `path` holds the ids from the county down to itself."""
        return self.community_id == community_id or self.region_id in path


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """A community; `path` holds the ids from the county down to itself, `uses` the capabilities switched on."""

    id: UUID
    name: str
    path: tuple[UUID, ...]
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentRecord:
    """An own record: a resident record that the caller's login stands for. It cannot spend until `rests_until`."""

    community_id: UUID
    person_id: UUID
    name: str
    community_name: str
    path: tuple[UUID, ...] = ()  # of the community; left out where the record's login brings no grants along
    household_id: UUID | None = None
    rests_until: datetime | None = None
    uses: frozenset[str] = frozenset()  # the capabilities that its community has switched on


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A caller with own records and role grants. A verb reads and writes only the community `community_id`.

    It may be another one than those of the own records: `addressed`, which the caller reaches by a grant.
    """

    community_id: UUID
    addressed: Community | None = None
    persons: tuple[ResidentRecord, ...] = ()
    grants: frozenset[Grant] = frozenset()
    login_id: UUID | None = None
    session_id: UUID | None = None
    device_id: UUID | None = None
    device_station_id: UUID | None = None
    device_kind: str = ""
    device_proof: bytes | None = field(default=None, repr=False)  # hash of the device's token, checked by the database
    import_proof: bytes | None = field(default=None, repr=False)  # proves to the database whose import the worker runs
    request_id: str = ""
    via: str = "api"
    system: bool = False

    @classmethod
    def of_system(cls, community_id: UUID, *, via: str = "worker", request_id: str = "") -> Self:
        """The scope of the worker or a command: it may do everything in the community and stands for no person."""
        return cls(community_id=community_id, via=via, system=True, request_id=request_id)

    @property
    def person(self) -> ResidentRecord | None:
        """The caller's own record in the community, if there is one."""
        for own in self.persons:
            if own.community_id == self.community_id:
                return own
        return None

    @property
    def person_id(self) -> UUID | None:
        return self.person.person_id if self.person else None

    @property
    def actor_id(self) -> UUID | None:
        """The own record that the caller acts as: the one in this community, else the first one elsewhere.

        The latter is the case for an administrator who lives in another community.
        """
        return self.person_id or (self.persons[0].person_id if self.persons else None)

    @property
    def community_name(self) -> str:
        """The community's name; "" for a caller who acts neither as an own record there nor by a session's grant."""
        if self.person is not None:
            return self.person.community_name
        return self.addressed.name if self.addressed and self.addressed.id == self.community_id else ""

    @property
    def path(self) -> tuple[UUID, ...]:
        """The ids from the county down to the community; only the community's own where no more is known."""
        if self.addressed is not None and self.addressed.id == self.community_id:
            return self.addressed.path
        return (self.person.path if self.person else ()) or (self.community_id,)

    def uses(self, capability: str) -> bool:
        """Whether the community has switched this capability on. The worker runs only where it is."""
        if self.system or not capability:
            return True
        if self.addressed is not None and self.addressed.id == self.community_id:
            return capability in self.addressed.uses
        return self.person is not None and capability in self.person.uses

    def require_use(self, capability: str) -> None:
        """Raise NotUsedHere unless the community has switched this capability on."""
        if not self.uses(capability):
            raise NotUsedHere

    @property
    def home_ids(self) -> frozenset[UUID]:
        """The communities of the own records."""
        return frozenset(p.community_id for p in self.persons)

    @property
    def reach(self) -> frozenset[UUID]:
        """What decides which communities the caller reaches: those whose path has one of these ids.

        They are the communities of the own records, what each grant is in or over, and `community_id`.
        """
        granted = {place for g in self.grants for place in (g.community_id, g.region_id) if place}
        return self.home_ids | granted | {self.community_id}

    def here(self) -> frozenset[Grant]:
        """The caller's grants that reach the community."""
        if not self.grants:
            return self.grants
        path = self.path
        return frozenset(g for g in self.grants if g.reaches(self.community_id, path))

    def has(self, *roles: Role) -> bool:
        """Whether the caller has any of the roles in this community or in a part of it."""
        return any(g.role in roles for g in self.here())

    @property
    def administers(self) -> bool:
        return self.system or any(g.role in ADMINS for g in self.here())

    @property
    def reads_all(self) -> bool:
        """Whether the caller reads everything in the community, as administrators and auditors do."""
        return self.system or self.has(*READERS)

    def keeps(self, station_id: UUID | None) -> bool:
        """Whether the caller may serve at this station: as its keeper, its signed-on counter, or an administrator."""
        if self.administers or (self.counter_station_id is not None and self.counter_station_id == station_id):
            return True
        return any(g.role == Role.station_keeper and g.station_id == station_id for g in self.here())

    def reads_at(self, station_id: UUID, *, own: bool) -> bool:
        """Whether the caller reads a record of this station: `own`, of a station that they serve, or by `reads_all`."""
        return own or self.keeps(station_id) or self.reads_all

    @property
    def kept_stations(self) -> frozenset[UUID]:
        """The stations that the caller has a keeper's grant for, and the one whose signed-on counter the device is."""
        kept = {g.station_id for g in self.here() if g.role == Role.station_keeper and g.station_id}
        return frozenset(kept | ({self.counter_station_id} if self.counter_station_id else set()))

    @property
    def counter_station_id(self) -> UUID | None:
        """The station of a counter device while a keeper is signed on to it; None for a display or without sign-on."""
        return self.device_station_id if self.device_kind == "counter" and self.login_id is not None else None

    @property
    def is_counter(self) -> bool:
        """Whether the caller is a counter tablet, with or without a keeper signed on."""
        return self.device_kind == "counter"

    def works_in(self, area_path: list[UUID]) -> bool:
        """Whether the caller is an administrator, or grid worker of one of the areas of this path."""
        return self.administers or any(g.role == Role.grid_worker and g.area_id in area_path for g in self.here())

    def leads(self, area_path: Collection[UUID]) -> bool:
        """Whether the caller is an administrator, or grid head of one of the areas of this path."""
        return self.administers or any(g.role == Role.grid_head and g.area_id in area_path for g in self.here())

    @property
    def unit_ids(self) -> frozenset[UUID]:
        """The units that the caller is the contact of in this community."""
        return frozenset(g.unit_id for g in self.here() if g.role == Role.unit_contact and g.unit_id)

    def heads(self, area_id: UUID) -> bool:
        """Whether the caller is the head of exactly this building or unit."""
        return any(g.role in HEADS and g.area_id == area_id for g in self.here())

    @property
    def own_ids(self) -> list[UUID]:
        """The ids of the own records, in every community of the login."""
        return [p.person_id for p in self.persons]

    @property
    def own_ids_here(self) -> list[UUID]:
        """The ids of the own records in this community."""
        return [p.person_id for p in self.persons if p.community_id == self.community_id]

    def is_own(self, person_id: UUID | None) -> bool:
        return person_id in self.own_ids_here

    def stands_for(self, person_id: UUID | None) -> bool:
        """Whether the caller may act and read as this resident: it is an own record, and the caller uses no device.

        Devices are shared. `is_own` still applies to a keeper who is signed on to a counter.
        """
        return self.device_id is None and self.is_own(person_id)

    @property
    def stood_for(self) -> list[UUID]:
        """The own records in this community that the caller may act and read as."""
        return [own for own in self.own_ids_here if self.stands_for(own)]

    def require_admin(self) -> None:
        if not self.administers:
            raise Forbidden

    def require_reader(self) -> None:
        if not self.reads_all:
            raise Forbidden

    def require_keeper(self, station_id: UUID) -> None:
        if not self.keeps(station_id):
            raise Forbidden

    def require_self(self) -> UUID:
        """The id of the caller's own record in the community. Raises Forbidden if there is none."""
        if self.person_id is None:
            raise Forbidden
        return self.person_id

    def within(self, community_id: UUID) -> Self:
        """The same caller in the community of an own record, or in the one addressed. Raises NotFound for any other.

        `areas.reach.within_reach` finds those that the caller reaches by a grant alone.
        """
        known = self.home_ids | {self.community_id} | ({self.addressed.id} if self.addressed else set())
        if community_id not in known:
            raise NotFound
        return replace(self, community_id=community_id)

    def as_nobody(self) -> Self:
        """The device without its signed-on keeper, for pages that are not the keeper's work at the counter."""
        return replace(self, persons=(), grants=frozenset(), login_id=None, session_id=None)

    def acting_as(self, person_id: UUID) -> Self:
        """The same caller in the community of this own record; unchanged if it is no own record."""
        mine = next((p for p in self.persons if p.person_id == person_id), None)
        return self.within(mine.community_id) if mine else self
