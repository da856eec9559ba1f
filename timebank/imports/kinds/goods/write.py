"""Import a goods list: add goods, and their stock at stations."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.database import reading
from timebank.core.scope import Scope
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Made, Planned, Ready, cells_of
from timebank.imports.kinds.goods.read import GoodRow, parse
from timebank.imports.sheets.parsed import Parsed, UnknownUse
from timebank.imports.words.named import NameIndex, stations_of
from timebank.shop.goods import add_good, change_good
from timebank.shop.schemas import GoodChange, GoodIn
from timebank.shop.shelves.stock import receive

NAME_MAX = 60
UNIT_MAX = 10
USUAL_UNIT = "件"


class _Good(msgspec.Struct, frozen=True, kw_only=True):
    """A good that the community has."""

    id: UUID
    name: str
    unit: str
    points: int
    monthly_limit: int | None
    active: bool

    def is_as(self, row: GoodRow) -> bool:
        return (self.unit, self.points, self.monthly_limit) == (row.unit or self.unit, row.points, row.limit)


@dataclass(slots=True)
class _Shop:
    """The community's goods, their stock by good and station, and its stations."""

    goods: dict[str, _Good]
    stock: dict[tuple[UUID, UUID], int]
    stations: NameIndex

    def put(self, row: GoodRow, offer: "_Offer", good_id: UUID) -> None:
        """Update this copy as the row updates the database."""
        if offer.begins:
            name, unit = names.clean(row.name), _unit(row, offer.good)
            self.goods[name] = _Good(
                id=good_id, name=name, unit=unit, points=row.points, monthly_limit=row.limit, active=True
            )
        if offer.station_id is not None:
            held = self.stock.get((good_id, offer.station_id), 0)
            self.stock[good_id, offer.station_id] = held + row.stock


class GoodPlanned(Planned, frozen=True, kw_only=True):
    """A row to write: it adds a good or stock."""

    good: GoodRow


async def examine(intake: Intake, book: Workbook) -> Ready[GoodRow, GoodPlanned]:
    """Find the rows that add a good, or stock at a station; writes nothing."""
    parsed = await asyncio.to_thread(parse, book)
    keys = {(row.sheet, row.row): _key(intake, row) for row in parsed.rows}
    async with reading(intake.scope):
        shop = await _shop(intake.scope)
        shop.stations.suppose(intake.answered("station"))
        known = await intake.known(keys.values())
    _judge(parsed, shop)
    new = [row for row in parsed.rows if not parsed.reading(row).refused and keys[row.sheet, row.row] not in known]
    planned = []
    for row in new:
        offer = _decide(shop, row)
        for meaning, odd in offer.remarks:
            parsed.reading(row).warn(meaning, odd)
        if offer.makes_something:
            shop.put(row, offer, offer.good.id if offer.good else clock.new_id())
            key, cells = keys[row.sheet, row.row], cells_of(parsed.reading(row), "name")
            planned.append(GoodPlanned(key=key, sheet=row.sheet, row=row.row, cells=cells, good=row))
    parsed.words = shop.stations.unknown(parsed.uses("station"))
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    return Ready(parsed, planned, len(planned))


async def take(intake: Intake, rows: Sequence[GoodPlanned]) -> None:
    """Add a batch of goods and their stock; goods on offer and stock that exist by now stay unchanged."""
    shop = await _shop(intake.scope)
    for planned in rows:
        row = planned.good
        if row.station and shop.stations.of(row.station) is None:
            intake.refuse_late(planned, "name", problem("station_unknown"))
        elif not row.station and row.stock and shop.stations.only is None:
            intake.refuse_late(planned, "name", problem("station_missing"))
        else:
            made = await _offer(intake, shop, row)
            if made is not None:
                intake.row_made(planned.key, made.noun, made.noun_id)


async def finish(_intake: Intake, _rows: Sequence[GoodPlanned]) -> None:
    """Do nothing: nobody is notified of new goods."""


def _key(intake: Intake, row: GoodRow) -> bytes:
    return intake.key(row.name, row.unit, row.points, row.stock, row.station, row.limit)


async def _shop(scope: Scope) -> _Shop:
    found = await database.rows(
        _Good, "SELECT id, name, unit, points, monthly_limit, active FROM good WHERE community_id = $1",
        scope.community_id,
    )  # fmt: skip
    stock = await database.fetch(
        "SELECT good_id, station_id, quantity FROM stock WHERE community_id = $1", scope.community_id
    )
    return _Shop(
        {good.name: good for good in found},
        {(row["good_id"], row["station_id"]): row["quantity"] for row in stock},
        await stations_of(scope),
    )


def _judge(parsed: Parsed[GoodRow], shop: _Shop) -> None:
    """Refuse rows without a known station for their stock, with too long a text, or that contradict an earlier row."""
    first: dict[str, GoodRow] = {}
    for row in parsed.rows:
        reading = parsed.reading(row)
        for meaning, text, most in (("name", row.name, NAME_MAX), ("unit", row.unit, UNIT_MAX)):
            if text and len(text) > most:
                reading.refuse(meaning, problem("text_too_long", length=len(text), most=most))
        if row.station and shop.stations.of(row.station) is None:
            reading.refuse("station", problem("station_unknown"))
            parsed.unknown.append(UnknownUse(value=row.station, sheet=row.sheet, row=row.row, kind="station"))
        if not row.station and row.stock and shop.stations.only is None:
            reading.refuse("station|stock", problem("station_missing"))
        if reading.refused:
            continue
        other = first.setdefault(names.clean(row.name), row)
        if (other.unit, other.points, other.limit) != (row.unit, row.points, row.limit):
            reading.refuse("points", problem("good_differs", row=reading.row_words(other.sheet, other.row)))


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a row does: add a good or offer it again (`begins`), and add stock at a station."""

    good: _Good | None
    begins: bool = False
    station_id: UUID | None = None
    remarks: tuple[tuple[str, Problem], ...] = ()

    @property
    def makes_something(self) -> bool:
        return self.begins or self.station_id is not None


def _decide(shop: _Shop, row: GoodRow) -> _Offer:
    """Decide what a row adds; nothing if everything exists already."""
    good, station_id = shop.goods.get(names.clean(row.name)), _station(shop, row)
    if good is None:
        return _Offer(None, begins=True, station_id=station_id)
    if not good.active:
        return _Offer(good, begins=True, station_id=station_id, remarks=(("name", problem("good_offered_again")),))
    held = shop.stock.get((good.id, station_id)) if station_id else None
    odd = _at_odds(good, held, row)
    if odd is not None:
        return _Offer(good, remarks=(odd,))
    return _Offer(good, station_id=station_id if held is None else None)


async def _offer(intake: Intake, shop: _Shop, row: GoodRow) -> Made | None:
    """Write what a row adds; None if it adds nothing."""
    offer = _decide(shop, row)
    if not offer.makes_something:
        return None
    good_id = offer.good.id if offer.good else None
    if offer.begins:
        good_id = await _begin(intake.scope, row, offer.good)
        intake.also_made("good", good_id)
    assert good_id is not None
    shop.put(row, offer, good_id)
    if offer.station_id is None:
        return Made("good", good_id)
    return await _receive(intake, good_id, offer.station_id, row.stock)


def _at_odds(good: _Good, held: int | None, row: GoodRow) -> tuple[str, Problem] | None:
    """The column and warning if the list differs from the community's good or stock, which stays unchanged."""
    if not good.is_as(row):
        code = "known_good_differs" if good.monthly_limit else "known_good_differs_no_limit"
        return "points", problem(code, unit=good.unit, points=good.points, limit=good.monthly_limit or 0)
    if held is not None and held != row.stock:
        return "stock", problem("known_stock_differs", quantity=held)
    return None


def _station(shop: _Shop, row: GoodRow) -> UUID | None:
    """The station for a row's stock: the one it names, else the community's only one if the row has stock."""
    if row.station:
        return shop.stations.of(row.station)
    return shop.stations.only if row.stock else None


async def _begin(scope: Scope, row: GoodRow, ended: _Good | None) -> UUID:
    """Add a new good or offer an ended one again; returns its id."""
    unit = _unit(row, ended)
    if ended is None:
        return (await add_good(scope, GoodIn(name=row.name, points=row.points, unit=unit, monthly_limit=row.limit))).id
    again = GoodChange(points=row.points, unit=unit, monthly_limit=row.limit, active=True)
    await change_good(scope, ended.id, again)
    return ended.id


def _unit(row: GoodRow, ended: _Good | None) -> str:
    return row.unit or (ended.unit if ended else USUAL_UNIT)


async def _receive(intake: Intake, good_id: UUID, station_id: UUID, quantity: int) -> Made:
    """Add stock at a station. Returns the stock move, or the stock itself if the quantity of 0 made no move."""
    before = await _moves(intake.scope, good_id, station_id)
    await receive(intake.scope, good_id, station_id, quantity, intake.file_name[:200], reason="import")
    new = await _moves(intake.scope, good_id, station_id) - before
    return Made("stock_move", new.pop()) if new else Made("stock", good_id)


async def _moves(scope: Scope, good_id: UUID, station_id: UUID) -> set[UUID]:
    await database.flush()  # the moves that are queued
    found = await database.fetch(
        "SELECT id FROM stock_move WHERE community_id = $1 AND good_id = $2 AND station_id = $3",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found}
