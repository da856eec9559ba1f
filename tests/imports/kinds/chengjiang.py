"""城江社区: an empty community in the town's street, into which tests import its four workbooks."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.town import Town, operating
from timebank.areas.places import add_region
from timebank.core import clock
from timebank.core.scope import Scope
from timebank.imports.intake import Kind
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn
from timebank.stations.schemas import StationIn
from timebank.stations.stations import add_station

DATA = Path(__file__).parents[2] / "data" / "chengjiang"
FACTS: dict[str, Any] = json.loads((DATA / "facts.json").read_text(encoding="utf-8"))
CATALOGUE: dict[str, int] = {item["item"]: item["points"] for item in FACTS["deeds"]["catalogue"]}
MOMENT = datetime(2026, 10, 31, 1, 0, tzinfo=UTC)
TODAY = date(2026, 10, 31)
FILES: dict[Kind, str] = {
    "residents": "roster.xlsx",
    "hours": "hours.xlsx",
    "deeds": "deeds.xlsx",
    "goods": "goods.xlsx",
}


@dataclass(frozen=True)
class Chengjiang:
    """城江社区 in the town's street; its residents come with the roster, and the street's administrator imports."""

    id: UUID
    town: Town

    @property
    def system(self) -> Scope:
        return Scope.of_system(self.id)

    async def admin(self) -> Scope:
        return await self.town.scope("钱进", self.id)

    async def take_in(self, kind: Kind, *, dry_run: bool = False, skip_bad: bool = True) -> Report:
        """Import the community's workbook of this kind."""
        name = FILES[kind]
        with clock.at(MOMENT):
            return await import_file(
                await self.admin(), kind, name, (DATA / name).read_bytes(), dry_run=dry_run, skip_bad=skip_bad
            )


async def found_chengjiang(town: Town, catalogue: Mapping[str, int] = CATALOGUE) -> Chengjiang:
    """Create the community with two stations, a catalogue of deeds and a rule for service."""
    with clock.at(datetime(2025, 12, 1, tzinfo=UTC)):
        async with operating():
            place = await add_region(Scope.of_system(town.community), "community", FACTS["community"], town.street)
            scope = Scope.of_system(place.id)
            for station in ("慈善超市", "米邻驿站"):
                await add_station(scope, StationIn(name=station))
            await set_rule(scope, RuleIn(kind="service", name="志愿服务", minutes_per_point=6))
            for item, points in catalogue.items():
                await set_rule(scope, RuleIn(kind="deed", name=item, points=points))
    return Chengjiang(place.id, town)


async def counts(owner: asyncpg.Connection) -> Counter[str]:
    """The number of rows of every table, except those that the test's own sign-ins write."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = {row["tablename"] for row in tables} - {"session", "throttle"}
    return Counter({name: await owner.fetchval(f'SELECT count(*) FROM "{name}"') for name in sorted(names)})
