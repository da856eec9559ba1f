"""The matters of the demo's year: who reports them, who handles them, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.core.scope import Role, Scope
from timebank.demo.county import SERVICE_RULE
from timebank.demo.neighbourhood.loop import Loop
from timebank.demo.neighbourhood.plan import TOPICS, WORKER, Planned, planned, unit_of
from timebank.demo.neighbourhood.teams import CARE, REPAIR
from timebank.demo.neighbourhood.units import without_roles
from timebank.demo.place import Place
from timebank.demo.population import Door, Resident
from timebank.demo.stories import Story
from timebank.matters.categories.categories import find_category, put_category
from timebank.matters.jobs.silence import close_silent_matters
from timebank.matters.loop.dispatching import dispatch
from timebank.matters.loop.handling import take_matter
from timebank.matters.loop.rating import rate
from timebank.matters.schemas import CategoryIn, DispatchIn, OpenIn, RatingIn
from timebank.people.identity.ages import age_on

if TYPE_CHECKING:
    from timebank.demo.year import Year

HELPING = "邻里帮忙"
TEAM_OF = {"repair": REPAIR, "errands": CARE, "escort": CARE}
REPORTERS, OLD_FROM = 6, 68
ORDER_MINUTES = 40


async def set_categories(place: Place) -> None:
    """Say who handles what usually, so that a matter is dispatched by one tap."""
    for topic in TOPICS:
        if unit := unit_of(topic, place.plan.name):
            await _change_category(place, topic.category, unit_id=place.units[unit])
    if not place.teams:
        return
    helping = ActivityIn(name=HELPING, rule_code=SERVICE_RULE[0], description="点单来的帮忙：修、买、陪")
    place.activities[HELPING] = (await add_activity(place.admin, helping)).id
    for code, team in TEAM_OF.items():
        await _change_category(place, code, team_id=place.teams[team], activity_id=place.activities[HELPING])


async def _change_category(place: Place, code: str, **changed: UUID) -> None:
    stands = msgspec.convert(await find_category(place.admin, code), CategoryIn, from_attributes=True)
    await put_category(place.admin, code, msgspec.structs.replace(stands, **changed))


@dataclass(slots=True)
class Cast:
    """Who takes part in the matters of a community: nobody works on what they or their household have reported."""

    place: Place
    people: list[Resident]
    old: list[Resident]
    busy: list[Resident]

    @classmethod
    def of(cls, year: Year) -> Cast:
        place, today = year.place, year.today
        able = [p for p in without_roles(place, today, REPORTERS) if p not in year.volunteers]
        old = [p for p in place.people if p.phone is None and age_on(p.born_on, today) > OLD_FROM]
        return cls(place, able, [p for p in old if p not in year.card_holders], year.volunteers)

    def head(self, area: tuple[str, ...]) -> Resident:
        return self._holder(Role.grid_head, area[:1])

    def worker(self, area: tuple[str, ...]) -> Resident:
        return self._holder(Role.grid_worker, area[:1])

    def building_head(self, area: tuple[str, ...]) -> Resident:
        return self._holder(Role.building_head, area[:2])

    def _holder(self, role: Role, area: tuple[str, ...]) -> Resident:
        return next(person for person, place in self.place.offices(role) if place == area)

    def deciding(self, area: tuple[str, ...]) -> set[Door]:
        """The households of who decides or works there."""
        contacts = {person.door for _, person in self.place.contacts.values()}
        return contacts | {self.head(area).door, self.worker(area).door, self.place.holder(Role.community_admin).door}

    def reporter(self, area: tuple[str, ...], among: list[Resident] | None = None) -> Resident:
        """The next who lives there, else in the grid, and has nothing to do with whoever decides or works there."""
        people = self.people if among is None else among
        apart = self.deciding(area)
        able = [p for p in people if p.door not in apart]
        near = (p for size in (2, 1, 0) for p in able if p.door.area[:size] == area[:size])
        found = next(near)
        people.remove(found)
        people.append(found)
        return found

    def member(self, team: str, order: int, served: Resident, area: tuple[str, ...]) -> Resident:
        """A member of a team by turns, of another household than who is served or decides."""
        apart = self.deciding(area) | {served.door}
        able = [p for p in self.place.members[team] if p.door not in apart and p not in self.busy]
        return able[order % len(able)]


def matters_of_year(year: Year) -> Iterator[Story]:
    """A community's matters but for those of the last ten days, from the report to what it earns."""
    place, cast = year.place, Cast.of(year)
    year.due.add(year.today - timedelta(days=1))  # what is earned is credited as far as its notice is over
    buildings = [area for area in place.areas if len(area) == 2]
    for number, plan in enumerate(planned(place.plan.name, year.today, len(buildings), year.workdays)):
        received = clock.at_local(year.today - timedelta(days=plan.days_ago), time(*divmod(plan.minute, 60)))
        told = Telling(cast, plan, buildings[plan.building], received, number)
        yield told.order() if plan.is_order else told.report()


@dataclass(slots=True)
class Telling:
    """The loop of one planned matter."""

    cast: Cast
    plan: Planned
    area: tuple[str, ...]
    received: datetime
    number: int

    @property
    def place(self) -> Place:
        return self.cast.place

    def _later(self, days: int, hour: int) -> datetime:
        return clock.at_local(clock.local_day(self.received) + timedelta(days=days), time(hour, self.plan.pace))

    def _done(self) -> datetime:
        days = self.plan.done_days
        return self._later(days, 10 + self.number % 5) if days else self.received + timedelta(hours=2 + self.number % 5)

    def _loop(self, by: Scope, wanted: OpenIn, *, scene: str = "") -> Loop:
        lane = UUID(int=Random(f"{self.place.plan.name} {self.number}").getrandbits(128))
        return Loop(by=by, wanted=wanted, at=self.received, lane=lane, scene=scene)

    def _opened(self, kind: str, person_id: UUID | None = None) -> OpenIn:
        given = {
            "kind": kind, "category": self.plan.topic.category, "area_id": self.place.areas[self.area],
            "said": self.plan.said, "for_person_id": person_id, "at_home": kind == "order",
        }  # fmt: skip
        return msgspec.convert(given, OpenIn)

    def report(self) -> Loop:
        """A resident's report, or what a head has found in the own building."""
        plan, place, cast = self.plan, self.place, self.cast
        by = cast.building_head(self.area) if plan.by_head else cast.reporter(self.area)
        head, topic = place.scope(cast.head(self.area)), plan.topic
        unit, worker = unit_of(topic, place.plan.name), cast.worker(self.area)
        to = DispatchIn(person_id=worker.id) if topic.handler == WORKER else DispatchIn()
        handler = place.contact(unit) if unit else place.scope(worker)
        done = self._done()
        loop = self._loop(
            place.scope(by), self._opened("event" if plan.by_head else "report"),
            scene=topic.category if plan.pictured else "",
        )  # fmt: skip
        pace = timedelta(minutes=plan.pace)
        loop.then(self.received + pace, dispatch, head, to).then(self.received + 2 * pace, take_matter, handler)
        loop.finish(done, handler, plan.result, scene=f"{topic.category}.after" if topic.pictured else "")
        if plan.answered:
            loop.then(done + 2 * pace, rate, place.scope(by), RatingIn(solved=True, stars=plan.stars))
        else:
            loop.also(done + timedelta(days=8), lambda: close_silent_matters(place.system))
        return loop.confirm(loop.last + timedelta(hours=1), head)

    def order(self) -> Loop:
        """Somebody without a phone orders at a station; a member of the team helps; the hours are reviewed."""
        plan, place, cast = self.plan, self.place, self.cast
        served = cast.reporter(self.area, cast.old)
        station = next(name for name, keeper in place.keepers.items() if keeper.door is not served.door)
        helper = cast.member(plan.topic.handler, self.number, served, self.area)
        done, pace, head = self._done(), timedelta(minutes=plan.pace), place.scope(cast.head(self.area))
        loop = self._loop(place.keeper(station), self._opened("order", served.id))
        loop.then(self.received + pace, dispatch, head, DispatchIn())
        loop.then(self.received + 2 * pace, take_matter, place.scope(helper))
        loop.finish(done, place.scope(helper), plan.result, minutes=min(ORDER_MINUTES, plan.pace))
        loop.then(done + 2 * pace, rate, head, RatingIn(solved=True, stars=plan.stars, called=True))
        return loop.confirm(done + 3 * pace, head).review(self._later(plan.done_days + 1, 9), place.admin)
