"""Matters switched on, with those who dispatch and handle them: a grid head, a unit with its contact, a team."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from tests.support.town import PHOENIX, Town
from timebank.core import clock, names
from timebank.core.scope import Role, Scope
from timebank.matters.loop import confirming, dispatching, ending, handling, rating
from timebank.matters.opening.opening import OpenedOut, open_matter
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import (
    ConfirmIn,
    DispatchIn,
    FinishIn,
    OpenIn,
    RatingIn,
    RefuseIn,
    ReturnIn,
)
from timebank.policies.values import change_policy
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn

MORNING = datetime(2026, 11, 18, 0, 10, tzinfo=UTC)  # 08:10 of a Wednesday
GRID, BUILDING = f"{PHOENIX}/第一网格", f"{PHOENIX}/第一网格/3栋"
GRID_HEAD, CONTACT, LEADER, MEMBER, COURIER = "欧阳凯伟", "马涛", "刘洋", "王建国", "吴昊"
FIRM, POWER = "清江物业", "清江供电"


@dataclass(kw_only=True)
class Ground:
    """Ids of what the town has besides: units by name, and the team of repairs."""

    town: Town
    units: dict[str, UUID]
    team: UUID

    async def open(self, name: str = "张桂兰", **wanted: object) -> OpenedOut:
        """A report of this person about a broken stair, or what `wanted` says."""
        body = {
            "kind": "report", "category": "street_light", "area_id": self.town.areas[BUILDING], "said": "楼下的灯坏了",
        } | wanted  # fmt: skip
        return await open_matter(await self.town.scope(name), msgspec.convert(body, OpenIn))

    async def dispatch(self, matter_id: UUID, by: str = GRID_HEAD, **to: object) -> MatterOut:
        wanted = msgspec.convert(to or {"unit_id": self.units[FIRM]}, DispatchIn)
        return await dispatching.dispatch(await self.town.scope(by), matter_id, wanted)

    async def take(self, matter_id: UUID, by: str = CONTACT) -> MatterOut:
        return await handling.take_matter(await self.scope(by), matter_id)

    async def finish(self, matter_id: UUID, by: str = CONTACT, **wanted: object) -> MatterOut:
        body = msgspec.convert({"result": "换好了"} | wanted, FinishIn)
        return await handling.finish_matter(await self.scope(by), matter_id, body)

    async def give_up(self, matter_id: UUID, by: str = CONTACT) -> MatterOut:
        return await handling.give_up(await self.scope(by), matter_id, "人手不够")

    async def send_back(self, matter_id: UUID, by: str = CONTACT) -> MatterOut:
        return await handling.return_matter(await self.scope(by), matter_id, ReturnIn("不是我们的线路", "电信"))

    async def confirm(self, matter_id: UUID, by: str = GRID_HEAD, verified: str = "true") -> confirming.ConfirmedOut:
        body = msgspec.convert({"verified": verified, "note": "看过了"}, ConfirmIn)
        return await confirming.confirm_matter(await self.town.scope(by), matter_id, body)

    async def rate(
        self, matter_id: UUID, by: str = "张桂兰", *, solved: bool = True, called: bool = False
    ) -> MatterOut:
        body = RatingIn(solved=solved, stars=4 if solved else 1, called=called)
        return await rating.rate(await self.town.scope(by), matter_id, body)

    async def reopen(self, matter_id: UUID, by: str = "张桂兰") -> MatterOut:
        return await ending.reopen(await self.town.scope(by), matter_id, "还是不亮")

    async def refuse(self, matter_id: UUID, by: str = GRID_HEAD, because: str = "not_ours") -> MatterOut:
        body = msgspec.convert({"because": because, "note": "属于铁路"}, RefuseIn)
        return await ending.refuse(await self.town.scope(by), matter_id, body)

    async def done(self, **wanted: object) -> UUID:
        """A report that the firm has finished."""
        matter = (await self.open(**wanted)).id  # type: ignore[arg-type]  # each of its own type
        await self.dispatch(matter)
        await self.take(matter)
        await self.finish(matter)
        return matter

    async def scope(self, name: str) -> Scope:
        """The scope of this person in the community of the matters, wherever they live."""
        return await self.town.scope(name, self.town.community)


async def let_reports_earn(town: Town) -> None:
    """The community chooses that confirmed reports earn five points, before there is any credit."""
    with clock.at(MORNING - timedelta(days=30)):
        rule = RuleIn(
            kind="deed", code="hazard", name="发现并上报隐患", points=5, trigger="report_confirmed", unit="每件",
            cap_period="month", cap_per_person=4, cap_per_area=8,
        )  # fmt: skip
        await set_rule(await town.scope("赵丽"), rule)


async def matters_ground(town: Town, owner: asyncpg.Connection) -> Ground:
    """Switch matters on in 凤凰社区 and name who works with them."""
    units = {name: clock.new_id() for name in (FIRM, POWER)}
    team, now = clock.new_id(), clock.now()
    for name, id_ in units.items():
        await owner.execute(
            "INSERT INTO unit (id, county_id, name, pinyin, kind, active, created_at) "
            "VALUES ($1, $2, $3, $4, 'property', true, $5)",
            id_, town.county, name, names.pinyin(name), now,
        )  # fmt: skip
    await owner.execute(
        "INSERT INTO team (community_id, id, name, pinyin, kind, created_at) VALUES ($1, $2, '维修队', 'weixiudui', "
        "'repair', $3)", town.community, team, now,
    )  # fmt: skip
    for name, leads in ((LEADER, True), (MEMBER, False)):
        await owner.execute(
            "INSERT INTO team_member (community_id, id, team_id, person_id, leads, asked_at, joined_on, confirmed_by) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            town.community, clock.new_id(), team, town.people[name], leads, now, date(2026, 1, 1), town.people["赵丽"],
        )  # fmt: skip
    await grant(owner, town, GRID_HEAD, Role.grid_head, area_id=town.areas[GRID])
    await grant(owner, town, CONTACT, Role.unit_contact, region_id=town.street, unit_id=units[FIRM])
    await change_policy(await town.scope("赵丽"), "uses_matters", 1)
    return Ground(town=town, units=units, team=team)


async def grant(owner: asyncpg.Connection, town: Town, name: str, role: Role, **place: UUID) -> None:
    """Give somebody a role from 2025 on."""
    columns = "".join(f", {column}" for column in place)
    marks = "".join(f", ${number}" for number in range(5, 5 + len(place)))
    await owner.execute(
        f"INSERT INTO role_grant (community_id, id, person_id, role, starts_on, granted_at{columns}) "
        f"VALUES ($1, $2, $3, $4, '2025-01-01', now(){marks})",
        town.home[name], clock.new_id(), town.people[name], role.value, *place.values(),
    )  # fmt: skip
