"""Teams, the shifts of the school's gate, and the skills that people offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.core import clock
from timebank.demo.county import CLOSES, GRIDS, OPENS, SERVICE_RULE
from timebank.demo.neighbourhood.units import without_roles
from timebank.demo.place import Place
from timebank.demo.population import Resident
from timebank.demo.stories import Once, Step, Story
from timebank.stations.schemas import StationIn
from timebank.stations.stations import add_station
from timebank.teams.free_times import set_free_times
from timebank.teams.members import join_team
from timebank.teams.schemas import (
    FreeTime,
    FreeTimesIn,
    MemberIn,
    OfferIn,
    Part,
    SkillIn,
    SkillKind,
    TeamIn,
    TeamKind,
)
from timebank.teams.skills import add_skill, offer_skill, see_proof
from timebank.teams.teams import found_team

if TYPE_CHECKING:
    from timebank.demo.year import Year

HOME = "凤凰社区"
"""The community with teams and skills."""
ESCORT, REPAIR, CARE, PATROL, TUTORING, MEDIATION = "护学队", "维修队", "照料队", "夜巡队", "辅导队", "调解队"


class TeamPlan(NamedTuple):
    """`leader` and `with_`: people whom the demo names; `others`: how many more belong to it."""

    name: str
    kind: TeamKind
    about: str
    leader: str = ""
    with_: tuple[str, ...] = ()
    others: int = 4


TEAMS = (
    TeamPlan(ESCORT, "escort", "上学日早晚在校门口护着孩子过马路", "张桂兰", ("许小兰",), 4),
    TeamPlan(REPAIR, "repair", "换灯泡、通下水、修小家电", "", ("张国庆",), 4),
    TeamPlan(CARE, "care", "陪长辈看病、买药、说说话", "许小兰", (), 5),
    TeamPlan(PATROL, "patrol", "周五周六晚上在院子里走一圈", "", ("王建国", "张国庆"), 3),
    TeamPlan(TUTORING, "tutoring", "放学后陪孩子做作业", "刘洋", (), 4),
    TeamPlan(MEDIATION, "mediation", "邻里有了疙瘩，先坐下来谈", "苏春兰", ("李秀英",), 2),
)
SKILLS: tuple[tuple[str, SkillKind, bool], ...] = (
    ("水电维修", "repair", True), ("家电维修", "repair", False), ("管道疏通", "repair", False),
    ("木工", "craft", False), ("理发", "craft", False), ("缝补衣服", "craft", False), ("陪诊", "care", False),
    ("照看长辈", "care", False), ("照看孩子", "care", False), ("量血压", "health", True), ("急救", "health", True),
    ("心理倾听", "health", True), ("作业辅导", "teaching", False), ("书法", "teaching", False),
    ("教用手机", "teaching", False), ("跑腿代买", "errands", False), ("法律咨询", "law", True),
    ("调解劝和", "law", False),
)  # fmt: skip
OFFERS, FINDABLE, PROOFS = 46, 40, 6
OFFERED_WITHIN_DAYS = 320
GATE, GATE_ACTIVITY = "实验小学校门", "护学岗"
PARTS: tuple[Part, ...] = ("morning", "afternoon", "evening")
TEAM_PEOPLE, SKILLED = 4, 5


async def found_teams(place: Place, today: date) -> None:
    """Found the teams with a leader and the first members, the skills, and the activity of the school's gate."""
    if place.plan.name != HOME:
        return
    others = without_roles(place, today, TEAM_PEOPLE)
    for plan in TEAMS:
        team = await found_team(place.admin, TeamIn(plan.name, plan.kind, plan.about))
        place.teams[plan.name] = team.id
        named = [place.named(name) for name in (plan.leader, *plan.with_) if name]
        people = [*named, *[others.pop() for _ in range(plan.others)]]
        place.members[plan.name] = people if plan.leader else [people[-1], *people[:-1]]
        for number, person in enumerate(place.members[plan.name]):
            leads = True if number == 0 else None
            await join_team(place.admin, team.id, MemberIn(person.id, leads))
    wanted = StationIn(
        name=GATE, address="清江路 1 号", area_id=place.areas[GRIDS[0],], opens_at=OPENS, closes_at=CLOSES, kind="gate"
    )
    place.gates[GATE] = (await add_station(place.admin, wanted)).id
    duty = ActivityIn(
        name=GATE_ACTIVITY, rule_code=SERVICE_RULE[0], description="上学日早晚各半小时，至少两个人", needs_sign_up=True,
        station_id=place.gates[GATE], team_id=place.teams[ESCORT],
    )  # fmt: skip
    place.activities[GATE_ACTIVITY] = (await add_activity(place.admin, duty)).id


def skilled(year: Year) -> Iterator[Story]:
    """Who offers a skill over the year, most of them to be found by it, and whose proof an administrator has seen."""
    place, rng, skills, seen = year.place, Random(SKILLED), dict[str, UUID](), 0
    if place.plan.name != HOME:
        return
    people = without_roles(place, year.today, SKILLED)[:OFFERS]

    async def list_skills() -> None:
        for name, kind, needs_proof in SKILLS:
            skills[name] = (await add_skill(place.admin, SkillIn(name, kind, needs_proof))).id

    yield Once(Step(clock.at_local(year.first, time(8)), place.id, list_skills))
    for number, person in enumerate(people):
        name, _, needs_proof = SKILLS[number % len(SKILLS)]
        at = clock.at_local(year.first + timedelta(days=1 + rng.randrange(OFFERED_WITHIN_DAYS)), time(20))
        free = [FreeTime(day, part) for day in range(1, 8) for part in PARTS if rng.random() < 0.3]
        offering = Offering(
            place=place, person=person, skills=skills, skill=name, findable=number < FINDABLE, free=FreeTimesIn(free),
            at=at,
        )  # fmt: skip
        if needs_proof and seen < PROOFS and number < FINDABLE:
            seen += 1
            offering.seen = at + timedelta(hours=15)
        yield offering


@dataclass(slots=True, kw_only=True)
class Offering:
    """Somebody offers a skill and says when they are free; an administrator may have seen the proof."""

    place: Place
    person: Resident
    skills: dict[str, UUID]
    skill: str
    findable: bool
    free: FreeTimesIn
    at: datetime
    seen: datetime | None = None

    def steps(self) -> Iterator[Step]:
        yield Step(self.at, self.person.id, self._offer)
        if self.seen is not None:
            yield Step(self.seen, self.person.id, self._see)

    async def _offer(self) -> None:
        own = self.place.scope(self.person)
        await offer_skill(own, self.skills[self.skill], OfferIn(findable=self.findable))
        await set_free_times(own, self.free.free)

    async def _see(self) -> None:
        until = clock.local_day() + timedelta(days=3 * 365)
        await see_proof(self.place.admin, self.person.id, self.skills[self.skill], until)
