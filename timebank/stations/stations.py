"""Stations: the places where people check in, and their opening hours."""

from datetime import datetime, time
from functools import partial
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, Question, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.opening import Opening, opening_at, opening_hours_in_words
from timebank.core.paging import Page, all_pages, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.stations.schemas import StationChange, StationIn, StationOut
from timebank.stations.tables import Station


class StationNameTaken(TimebankError):
    code = "station_name_taken"
    status = 409
    sentence = "这个社区已经有同名的驿站。请换一个名称。"
    constraint = "station_name_unique"


class StationAreaUnknown(TimebankError):
    code = "station_area_unknown"
    status = 422
    sentence = "没有这个网格。请从本社区的网格里选。"
    constraint = "station_area"


_SHOWN = (
    "id, community_id, name, address, area_id, to_char(opens_at, 'HH24:MI') AS opens_at, "
    "to_char(closes_at, 'HH24:MI') AS closes_at, active, kind"
)


class _Listed(StationOut, frozen=True, kw_only=True):
    """A station with the sort key of the list."""

    pinyin: str


class StationRow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a station that check-in needs. `code_epoch` is the number of its key."""

    id: UUID
    name: str
    opens_at: time
    closes_at: time
    code_epoch: int
    active: bool

    def is_open(self, moment: datetime) -> bool:
        """Whether the station is active and open at a moment."""
        hours = self.opening(moment)
        return self.active and hours.begin <= moment and (hours.end is None or moment < hours.end)

    def opening(self, moment: datetime) -> Opening:
        """The opening period that contains the moment; if none does, the one of its local date."""
        return opening_at(self.opens_at, self.closes_at, moment)


def open_hours(place: StationRow | StationOut, language: str = "zh") -> str:
    """A station's opening hours in words."""
    return opening_hours_in_words(place.opens_at, place.closes_at, language)


_ROW = "SELECT id, name, opens_at, closes_at, code_epoch, active FROM station WHERE community_id = $1 AND id = $2"


def station_question(scope: Scope, station_id: UUID) -> Question:
    """The question for the `StationRow` of a station, to be asked with others by `database.read`."""
    return database.one(_ROW, scope.community_id, station_id)


async def station_row(scope: Scope, station_id: UUID) -> StationRow | None:
    async with transaction(scope):
        return await database.row(StationRow, _ROW, scope.community_id, station_id)


async def station(scope: Scope, station_id: UUID) -> StationOut:
    async with transaction(scope):
        found = await database.row(
            StationOut,
            f"SELECT {_SHOWN} FROM station WHERE community_id = $1 AND id = $2",  # noqa: S608  # own columns
            scope.community_id, station_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def stations(
    scope: Scope, *, active: bool | None = True, limit: int = 200, cursor: str | None = None
) -> Page[StationOut]:
    """The community's stations, sorted by name; `active` None lists the closed ones too."""
    asked = Filters(scope.community_id)
    asked.add_given("active = {}", active)
    asked.add_after("pinyin, id", ">", read_cursor(cursor, tuple[str, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed,
            f"SELECT {_SHOWN}, pinyin FROM station WHERE community_id = $1{asked.sql} "  # noqa: S608  # own columns
            f"ORDER BY pinyin, id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    listed = make_page(found, limit, lambda s: (s.pinyin, s.id))
    return Page([msgspec.convert(s, StationOut, from_attributes=True) for s in listed.items], listed.next)


async def kept_stations(scope: Scope) -> list[StationOut]:
    """The active stations where the caller may serve; all of them for an administrator."""
    every = await all_pages(partial(stations, scope))
    return [s for s in every if scope.keeps(s.id)]


@retried
async def add_station(scope: Scope, wanted: StationIn) -> StationOut:
    scope.require_admin()
    station_id, name = clock.new_id(), _named(wanted.name)
    async with transaction(scope):
        await Station.insert(
            Station(
                community_id=scope.community_id, id=station_id, area_id=wanted.area_id, name=name,
                pinyin=names.pinyin(name), address=names.clean(wanted.address),
                opens_at=time.fromisoformat(wanted.opens_at), closes_at=time.fromisoformat(wanted.closes_at),
                code_epoch=1, active=True, created_at=clock.now(), kind=wanted.kind,
            )
        )  # fmt: skip
        await audit.record(scope, "add_station", "station", station_id)
        return await station(scope, station_id)


@retried
async def write_station(scope: Scope, station_id: UUID, wanted: StationChange) -> StationOut:
    """Change the given fields of a station. Closing a station (`active` False) keeps its records.

    A part of `overview.closing.change_station`, which also ends what depends on a station that closes.
    """
    scope.require_admin()
    change = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    values = dict(change)
    if isinstance(wanted.name, str):
        values["name"] = _named(wanted.name)
        values["pinyin"] = names.pinyin(values["name"])
    for name in ("opens_at", "closes_at"):
        if name in values:
            values[name] = time.fromisoformat(values[name])
    async with transaction(scope):
        await station(scope, station_id)
        if values:
            await Station.update({getattr(Station, name): value for name, value in values.items()}).where(
                (Station.community_id == scope.community_id) & (Station.id == station_id)
            )
            await audit.record(scope, "change_station", "station", station_id, **change)
        return await station(scope, station_id)


def _named(text: str) -> str:
    return names.required(text, _("驿站要有名称"))
