"""Plan a year of a community day by day: visits, honour hours, deeds, redemptions and classes.

The plan keeps its own count of everybody's points, so that nobody redeems more than they have; the ledger keeps the
real balances.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from timebank.areas.workdays import Workdays
from timebank.core import clock
from timebank.core.capability import capabilities, resolve
from timebank.core.scope import Role
from timebank.deeds.filing.caps import period_of
from timebank.demo.county import DEED_NOTES, DEED_RULES, GOODS, MINUTES_PER_POINT, SERVICE_RULE
from timebank.demo.place import Place
from timebank.demo.population import KNOWN, Resident
from timebank.demo.role_grants import neighbours
from timebank.demo.schooling import Schooling
from timebank.demo.stories import Deed, Honour, Redemption, Step, Story, Visit
from timebank.people.identity.ages import age_on
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn

DAYS = 365
VISITS_PER_DAY, DEEDS_PER_DAY, REDEMPTIONS_PER_DAY = 0.5, 0.25, 0.25
VOLUNTEERS, WITH_CARDS, PARENTS = 22, 6, 18
BETTER_RATE_AFTER_DAYS = 30
HONOUR_EVERY_DAYS = 24
QUIET_DAYS = 35
"""Days before today without deeds by the people the demo names, so that today's deeds stay within the caps."""
REGULAR = {"张桂兰": (5, 120), "刘洋": (6, 150), "王建国": (2, 60), "李秀英": (4, 60), "许小兰": (1, 90)}
"""Weekday and minutes per visit of those who come every week."""
EAGER, EAGER_DAYS = "张桂兰", 35
"""Comes more often in the first days, so that some of her points expire at the end of this year."""
SAVING = ("张桂兰", "刘洋")
"""They redeem nothing before today: one saves points, the other spends them on classes."""


@dataclass(slots=True)
class Purse:
    minutes: int = 0
    points: int = 0

    def earn(self, minutes: int, minutes_per_point: int) -> None:
        made, self.minutes = divmod(self.minutes + minutes, minutes_per_point)
        self.points += made


def declared_stories() -> list[Callable[["Year"], Iterable[Story]]]:
    """What the capabilities' manifests add to the year."""
    return [resolve(path) for one in capabilities() for path in one.stories]


class Year:
    """The plan of one community's year up to but not including today.

    `steps` are unordered; on `due` days the worker's jobs have something to do.
    """

    def __init__(self, place: Place, rng: Random, today: date, workdays: Workdays) -> None:
        self.place, self.rng, self.today, self.days, self.workdays = place, rng, today, DAYS, workdays
        self.first = today - timedelta(days=DAYS)
        self.steps: list[Step] = []
        self.due: set[date] = set()
        self.purses: defaultdict[Resident, Purse] = defaultdict(Purse)
        self.volunteers, self.card_holders = self._volunteers()
        self.schooling = Schooling(place, rng, today, self.volunteers)
        self._coming: defaultdict[date, list[tuple[Resident, int]]] = defaultdict(list)
        self._taken: defaultdict[tuple[object, ...], int] = defaultdict(int)
        self._busy: set[tuple[Resident, date]] = set()
        self._better_rate_from = self.at(self.first + timedelta(days=BETTER_RATE_AFTER_DAYS), 0, 30)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return clock.at_local(day, time(hour, minute, self.rng.randrange(60)))

    def is_free(self, person: Resident, day: date) -> bool:
        return (person, day) not in self._busy

    def add(self, story: Story) -> None:
        self.steps += story.steps()

    def _volunteers(self) -> tuple[list[Resident], list[Resident]]:
        named = [self.place.named(k.name) for k in KNOWN[self.place.plan.name] if k.name in REGULAR]
        admin = self.place.holder(Role.community_admin)  # sets the price of the courses
        parents = [p for p in self.place.wards if p not in named and p.door is not admin.door][:PARENTS]
        keepers = set(self.place.keepers.values())
        others = [p for p in neighbours(self.place, self.rng, self.today) if p not in keepers and p not in parents]
        old = [p for p in self.place.people if p.phone is None and age_on(p.born_on, self.today) > 60]
        return [*named, *parents, *others[:VOLUNTEERS]], old[:WITH_CARDS]

    def plan(self) -> None:
        self._plan_better_rate()
        for declared in declared_stories():
            for story in declared(self):
                self.add(story)
        for offering in self.schooling.offerings():
            self.add(offering)
        for number in range(DAYS):
            day = self.first + timedelta(days=number)
            for person, points in self._coming.pop(day, ()):
                self.purses[person].points += points
            self._plan_redemptions(day)  # with the points earned up to yesterday
            self._plan_lessons(day)
            self._plan_visits(day)
            self._plan_deeds(day)
            if number % HONOUR_EVERY_DAYS == HONOUR_EVERY_DAYS - 1:
                self._plan_honour(day)
        self.due = {day for day in self.due | self.schooling.due if day < self.today}  # jobs run until yesterday

    def _plan_lessons(self, day: date) -> None:
        points = {person: purse.points for person, purse in self.purses.items() if person.name != EAGER}
        for story, guardian, cost in self.schooling.plan_day(day, points):
            self.add(story)
            self.purses[guardian].points -= cost

    def _plan_better_rate(self) -> None:
        """Plan a better rate for service in the second month."""

        async def better_rate() -> None:
            code, name = SERVICE_RULE
            await set_rule(
                self.place.system, RuleIn(kind="service", name=name, code=code, minutes_per_point=MINUTES_PER_POINT[1])
            )

        self.steps.append(Step(self._better_rate_from, self.place.id, better_rate))

    # -------------------------------------------------------------------------------------------------------- service

    def _plan_visits(self, day: date) -> None:
        weekend = day.weekday() >= 5
        some = int(VISITS_PER_DAY * (1.6 if weekend else 0.75) + self.rng.random())
        wanted = [(p, self.rng.randrange(45, 190)) for p in self.rng.sample(self.volunteers, some)]
        if day.weekday() in (1, 3):
            wanted.append((self.rng.choice(self.card_holders), self.rng.randrange(40, 100)))
        for person in self.volunteers:
            weekday, minutes = REGULAR.get(person.name, (None, 0))
            eager = person.name == EAGER and (day - self.first).days < EAGER_DAYS and day.weekday() in (0, 2, 4)
            if weekday == day.weekday() or eager:
                wanted.append((person, 180 if eager else minutes + self.rng.randrange(-15, 16)))
        for person, minutes in wanted:
            self._plan_visit(person, day, minutes)

    def _plan_visit(self, person: Resident, day: date, minutes: int) -> None:
        station = self.rng.choice(list(self.place.stations))
        if (person, day) in self._busy or person is self.place.keepers[station]:
            return
        self._busy.add((person, day))
        came = self.at(day, self.rng.randrange(8, 18), self.rng.randrange(60))
        left = came + timedelta(minutes=minutes, seconds=self.rng.randrange(10, 50))
        by = "card" if person in self.card_holders else self.rng.choice(["station_code"] * 6 + ["personal_code"])
        self.add(Visit(place=self.place, person=person, station=station, came=came, left=left, by=by))
        self.purses[person].earn(minutes, MINUTES_PER_POINT[left >= self._better_rate_from])

    def _plan_honour(self, day: date) -> None:
        """Plan honour hours of meal deliveries in a grid; the grid worker saw them, the administrator approves."""
        for worker, area in self.place.offices(Role.grid_worker):
            seen = [p for p in self.volunteers if p.door.grid == area[0] and p.door is not worker.door]
            person = next((p for p in seen if (p, day) not in self._busy), None)
            if person is None or day + timedelta(days=9) >= self.today:
                continue
            self._busy.add((person, day))
            began = self.at(day, 11)
            ended, entered = began + timedelta(minutes=75), self.at(day, 19)
            approved = self.at(day + timedelta(days=1), 9)
            self.add(
                Honour(
                    place=self.place,
                    person=person,
                    entered_by=worker,
                    began=began,
                    ended=ended,
                    entered=entered,
                    reason="送餐路上没有驿站可扫码",
                    approved=approved,
                )
            )
            self.due.add(day + timedelta(days=8))
            return

    # ---------------------------------------------------------------------------------------------------------- deeds

    def _plan_deeds(self, day: date) -> None:
        offices = self.place.offices(Role.building_head) + self.place.offices(Role.unit_head)
        for _ in range(int(DEEDS_PER_DAY + self.rng.random())):
            head, area = self.rng.choice(offices)
            code, _, points, _, period, *caps = self.rng.choice(DEED_RULES)
            note, witness = self.rng.choice(DEED_NOTES[code]), self.rng.choice(self.volunteers)
            quiet = head.name in REGULAR and day + timedelta(days=QUIET_DAYS) >= self.today
            if quiet or witness.door is head.door or not self._room(code, head, area, period_of(day, period), caps):
                continue
            reviewed = day + timedelta(days=1)
            rejected = self.rng.random() < 0.06
            seen = reviewed < self.today - timedelta(days=2) or (reviewed < self.today and self.rng.random() < 0.5)
            deed = Deed(
                place=self.place, person=head, area=area, rule=code, note=note, witness=witness,
                filed=self.at(day, 19, self.rng.randrange(60)),
                reviewed=self.at(reviewed, 9, self.rng.randrange(60)) if seen else None, rejected=rejected,
            )  # fmt: skip
            if deed.reviewer() is None:
                continue
            self.add(deed)
            credited = reviewed + timedelta(days=7)
            if seen and not rejected and credited < self.today:
                self.due.add(credited)
                self._coming[credited + timedelta(days=1)].append((head, points))

    def _room(
        self, code: str, head: Resident, area: tuple[str, ...], period: tuple[date, date], caps: list[int]
    ) -> bool:
        """Whether the caps leave room for one more deed; if so, it is counted."""
        keys: list[tuple[object, ...]] = [(code, head, period), (code, area, period)]
        if any(self._taken[key] >= most for key, most in zip(keys, caps, strict=True)):
            return False
        for key in keys:
            self._taken[key] += 1
        return True

    # ----------------------------------------------------------------------------------------------------------- shop

    def _plan_redemptions(self, day: date) -> None:
        for _ in range(int(REDEMPTIONS_PER_DAY + self.rng.random())):
            good, price, _, limit = self.rng.choice(GOODS)
            station = self.rng.choice(list(self.place.stations))
            rich = [p for p in self.volunteers if self.purses[p].points > price + 5 and p.name not in SAVING]
            if not rich:
                continue
            person = self.rng.choice(rich)
            month = (person.door, good, day.year, day.month)
            if person.door is self.place.keepers[station].door or self._taken[month] >= (limit or 9):
                continue
            self._taken[month] += 1
            self._plan_redemption(person, good, price, station, day)

    def _plan_redemption(self, person: Resident, good: str, price: int, station: str, day: date) -> None:
        how = self.rng.choice(["counter"] * 3 + ["collected"] * 5 + ["cancelled", "forgotten"])
        back = day + timedelta(days=self.rng.randrange(1, 4))
        reserved, ended = self.at(day, self.rng.randrange(9, 19)), self.at(back, self.rng.randrange(9, 19))
        self.add(
            Redemption(
                place=self.place,
                person=person,
                good=good,
                station=station,
                quantity=1,
                reserved=reserved,
                ended=ended if back < self.today else None,
                how=how,
            )
        )
        self.purses[person].points -= price
        if how == "cancelled":
            self._coming[back + timedelta(days=1)].append((person, price))
        if how == "forgotten":
            over = day + timedelta(days=8)
            self.due.add(over)
            self._coming[over + timedelta(days=1)].append((person, price))
