"""A goods list taken in: what points are exchanged for, and how many lie at which station."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import msgspec

from timebank import database, names
from timebank.imports import goods
from timebank.imports.goods import GoodRow
from timebank.imports.intake import Intake, Made
from timebank.imports.parsed import Parsed
from timebank.imports.problems import Problem, problem
from timebank.imports.workbook import Workbook
from timebank.scope import Scope
from timebank.shop.goods import add_good, change_good
from timebank.shop.schemas import GoodChange, GoodIn
from timebank.shop.stock import receive

NAME_MAX = 60
UNIT_MAX = 10
USUAL_UNIT = "件"


class _Good(msgspec.Struct, frozen=True):
    """A good that the community has, and how many of it lie at each station."""

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
    """What the community has to offer, and where."""

    goods: dict[str, _Good]
    stock: dict[tuple[UUID, UUID], int]
    stations: dict[str, UUID]


async def take_in(intake: Intake, book: Workbook) -> Parsed[GoodRow]:
    """Offer the goods that are new, and put what is new at a station on its shelf."""
    parsed = await asyncio.to_thread(goods.parse, book)
    shop = await _shop(intake.scope)
    keys = {(row.sheet, row.row): _key(intake, row) for row in parsed.rows}
    known = await intake.known(keys.values())
    _judge(parsed, shop)
    new = [row for row in parsed.rows if not parsed.reading(row).refused and keys[row.sheet, row.row] not in known]
    for row in new:
        made = await _offer(intake, parsed, shop, row)
        if made is not None:
            intake.row_made(keys[row.sheet, row.row], made.noun, made.noun_id)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    return parsed


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
    stations = await database.fetch(
        "SELECT id, name FROM station WHERE community_id = $1 AND active", scope.community_id
    )
    return _Shop(
        {good.name: good for good in found},
        {(row["good_id"], row["station_id"]): row["quantity"] for row in stock},
        {row["name"]: UUID(bytes=row["id"].bytes) for row in stations},
    )


def _judge(parsed: Parsed[GoodRow], shop: _Shop) -> None:
    """Refuse what has no station to lie at, what is too long to be kept, and one good told in two ways."""
    first: dict[str, GoodRow] = {}
    for row in parsed.rows:
        reading = parsed.reading(row)
        for meaning, text, most in (("name", row.name, NAME_MAX), ("unit", row.unit, UNIT_MAX)):
            if text and len(text) > most:
                reading.refuse(meaning, problem("text_too_long", length=len(text), most=most))
        if row.station and names.clean(row.station) not in shop.stations:
            reading.refuse("station", problem("station_unknown"))
        if not row.station and row.stock and len(shop.stations) != 1:
            reading.refuse("station|stock", problem("station_missing"))
        if reading.refused:
            continue
        other = first.setdefault(names.clean(row.name), row)
        if (other.unit, other.points, other.limit) != (row.unit, row.points, row.limit):
            reading.refuse("points", problem("good_differs", row=reading.row_words(other.sheet, other.row)))


async def _offer(intake: Intake, parsed: Parsed[GoodRow], shop: _Shop, row: GoodRow) -> Made | None:
    """What a row makes: a good, or its stock at a station; None where everything is there already."""
    good, station_id = shop.goods.get(names.clean(row.name)), _station(shop, row)
    held = shop.stock.get((good.id, station_id)) if good and station_id else None
    if good is not None and good.active:
        odd = _at_odds(good, held, row)
        if odd is not None:
            parsed.reading(row).warn(*odd)
        if odd is not None or held is not None or station_id is None:
            return None
    made: Made | None = None
    if good is None or not good.active:
        if good is not None:
            parsed.reading(row).warn("name", problem("good_offered_again"))
        good = shop.goods[names.clean(row.name)] = await _begin(intake.scope, row, good)
        intake.also_made("good", good.id)
        made = Made("good", good.id)
    if station_id is None:
        return made
    shop.stock[good.id, station_id] = (held or 0) + row.stock
    return await _receive(intake, good.id, station_id, row.stock)


def _at_odds(good: _Good, held: int | None, row: GoodRow) -> tuple[str, Problem] | None:
    """Where the list and what the community has differ; it is the community's that stays."""
    if not good.is_as(row):
        code = "known_good_differs" if good.monthly_limit else "known_good_differs_no_limit"
        return "points", problem(code, unit=good.unit, points=good.points, limit=good.monthly_limit or 0)
    if held is not None and held != row.stock:
        return "stock", problem("known_stock_differs", quantity=held)
    return None


def _station(shop: _Shop, row: GoodRow) -> UUID | None:
    """Where a row's goods lie: where it says, else, if it brings any, at the community's only station."""
    if row.station:
        return shop.stations[names.clean(row.station)]
    return next(iter(shop.stations.values())) if row.stock else None


async def _begin(scope: Scope, row: GoodRow, ended: _Good | None) -> _Good:
    """Offer a new good, or one again that had ended."""
    unit = row.unit or (ended.unit if ended else USUAL_UNIT)
    if ended is None:
        added = await add_good(
            scope, GoodIn(name=row.name, points=row.points, unit=unit, monthly_limit=row.limit)
        )  # fmt: skip
        good_id = added.id
    else:
        good_id = ended.id
        again = GoodChange(points=row.points, unit=unit, monthly_limit=row.limit, active=True)
        await change_good(scope, good_id, again)
    return _Good(good_id, names.clean(row.name), unit, row.points, row.limit, active=True)


async def _receive(intake: Intake, good_id: UUID, station_id: UUID, quantity: int) -> Made:
    """Put goods on a shelf, and tell by which move it was done; none was where there was nothing to put there."""
    before = await _moves(intake.scope, good_id, station_id)
    await receive(intake.scope, good_id, station_id, quantity, f"导入：{intake.file_name}"[:200], reason="import")
    new = await _moves(intake.scope, good_id, station_id) - before
    return Made("stock_move", new.pop()) if new else Made("stock", good_id)


async def _moves(scope: Scope, good_id: UUID, station_id: UUID) -> set[UUID]:
    found = await database.fetch(
        "SELECT id FROM stock_move WHERE community_id = $1 AND good_id = $2 AND station_id = $3",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found}
