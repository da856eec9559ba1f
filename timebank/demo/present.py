"""The present state of the demo: everybody who signs in has something to see and something to do."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from timebank.activities.schemas import ShiftIn
from timebank.activities.shifts import add_shift, sign_up
from timebank.agreements.schemas import Waiting
from timebank.cards.cards import issue_card
from timebank.classes.courses import add_lesson
from timebank.classes.schemas import LessonIn
from timebank.core import clock
from timebank.core.scope import Role
from timebank.demo.county import DEED_NOTES, LESSON_AT
from timebank.demo.lessons import Booking, Lesson, Purchase
from timebank.demo.neighbourhood.gate import Gate
from timebank.demo.neighbourhood.recent import Recent
from timebank.demo.population import Resident
from timebank.demo.stories import Deed, Honour, Redemption, Step, Story, Visit
from timebank.demo.year import Year
from timebank.objections.objecting import object_to
from timebank.overview.agreements import acknowledge, decide_change
from timebank.people.identity.ages import age_on
from timebank.policies.values import change_policy
from timebank.presence.forgotten import close_forgotten
from timebank.shop.confirmations.deciding import SpendingIn, ask_to_spend
from timebank.shop.goods import find_good
from timebank.shop.shelves.stock import count_stock

LOW = "抽纸", 3
CLASS_HOURS = 2
REVERSED_DAYS_AGO = 20


class Present:
    """The steps of a community since yesterday, and what is still open at this moment."""

    def __init__(self, year: Year, now: datetime) -> None:
        self.year, self.place, self.now = year, year.place, now
        self.station = next(iter(year.place.stations))
        self._told = {person for person in year.volunteers if person.name in ("张桂兰", "刘洋", "王建国", "李秀英")}

    def ago(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> datetime:
        return self.now - timedelta(days=days, hours=hours, minutes=minutes)

    def on_day(self, days_ago: int, hour: int) -> datetime:
        return self.year.at(self.year.today - timedelta(days=days_ago), hour)

    def steps(self) -> list[Step]:
        """The steps by time."""
        stories = [*self._at_the_station(), *self._for_review()]
        found = [step for story in stories for step in story.steps()]
        found += [Step(self.ago(minutes=2), self.place.id, self._tidy_up)]
        found += self._two_people()
        found += Gate(self.place, self.now).steps()
        found += Recent(self.year, self.now).steps()
        if any(person.name == "张桂兰" for person in self._told):
            found += [*self._deeds_of_the_heads(), *self._shift(), *self._lessons()]
        return sorted(found, key=lambda step: step.at)

    def _others(self, *, free_on: int | None = None) -> list[Resident]:
        """Volunteers whom the demo does not name, those with most points first."""
        day = clock.local_day(self.ago(days=free_on or 0))
        found = [p for p in self.year.volunteers if p not in self._told and p not in self.place.keepers.values()]
        if free_on is not None:
            found = [p for p in found if self.year.is_free(p, day)]
        return sorted(found, key=lambda p: -self.year.purses[p].points)

    # ------------------------------------------------------------------------------------------------- for the keeper

    def _at_the_station(self) -> Iterator[Story]:
        here = self._others(free_on=0)[:2]
        for person, minutes in zip(here, (72, 25), strict=False):
            yield Visit(
                place=self.place, person=person, station=self.station, came=self.ago(minutes=minutes), left=None
            )
        keeper = self.place.keepers[self.station]
        waiting = [p for p in self._others() if p.door is not keeper.door][:2]
        for person, hours in zip(waiting, (5, 26), strict=False):
            yield Redemption(
                place=self.place,
                person=person,
                good="香皂",
                station=self.station,
                quantity=1,
                reserved=self.ago(hours=hours),
                ended=None,
                how="open",
            )
        for person in self._told:
            if person.name == "张桂兰":
                yield Redemption(
                    place=self.place,
                    person=person,
                    good="抽纸",
                    station=self.station,
                    quantity=1,
                    reserved=self.ago(hours=3),
                    ended=None,
                    how="open",
                )

    async def _tidy_up(self) -> None:
        """Count the stock as the keeper, and close a visit with a forgotten check-out."""
        name, left = LOW
        station_id, good_id = self.place.stations[self.station], self.place.goods[name].id
        shelf = next(s for s in (await find_good(self.place.system, good_id)).stock if s.station_id == station_id)
        await count_stock(self.place.keeper(self.station), good_id, station_id, shelf.reserved + left, "月中盘点")
        await close_forgotten(self.place.system)

    # ---------------------------------------------------------------------------------------------- for the reviewers

    def _for_review(self) -> Iterator[Story]:
        for days, person in zip((2, REVERSED_DAYS_AGO), self._people_free_on(2, REVERSED_DAYS_AGO), strict=False):
            came = self.on_day(days, 15)
            if days == REVERSED_DAYS_AGO:
                wrong = self.ago(days=days - 2)
                yield Visit(
                    place=self.place,
                    person=person,
                    station=self.station,
                    came=came,
                    left=came + timedelta(minutes=95),
                    reversed_at=wrong,
                )
            else:
                yield Visit(place=self.place, person=person, station=self.station, came=came, left=None)
        for worker, area in self.place.offices(Role.grid_worker):
            seen = [p for p in self._others(free_on=3) if p.door.grid == area[0] and p.door is not worker.door]
            for person, approved in zip(seen, (None, self.ago(days=1)), strict=False):
                began = self.on_day(3, 14)
                yield Honour(
                    place=self.place, person=person, entered_by=worker, began=began,
                    ended=began + timedelta(minutes=80), entered=self.on_day(2, 18),
                    reason="陪长辈去医院，没有经过驿站", approved=approved,
                )  # fmt: skip

    def _people_free_on(self, *days: int) -> list[Resident]:
        """A different person for each day."""
        found: list[Resident] = []
        for day in days:
            found += [p for p in self._others(free_on=day)[3:] if p not in found][:1]
        return found

    def _deeds_of_the_heads(self) -> Iterator[Step]:
        place = self.place
        wang, li, xu = place.named("王建国"), place.named("李秀英"), place.named("许小兰")
        objected = Deed(
            place=place, person=wang, area=wang.door.area[:2], rule="mediation", note=DEED_NOTES["mediation"][0],
            witness=xu, filed=self.ago(days=5),
            reviewed=self.ago(days=4),
        )  # fmt: skip
        hanging = Deed(
            place=place, person=wang, area=wang.door.area[:2], rule="elder-visit", note=DEED_NOTES["elder-visit"][0],
            witness=xu, filed=self.ago(days=3),
            reviewed=self.ago(days=2),
        )  # fmt: skip
        filed = Deed(
            place=place,
            person=li,
            area=li.door.area,
            rule="hazard",
            note=DEED_NOTES["hazard"][0],
            witness=place.named("张桂兰"),
            filed=self.ago(hours=6),
            reviewed=None,
        )
        for deed in (objected, hanging, filed):
            yield from deed.steps()

        async def object_to_it() -> None:
            await object_to(
                place.scope(place.named("张国庆")), "deed", objected.id, "那天两家是物业先谈好的，请再核实一下"
            )

        yield Step(self.ago(days=1), place.id, object_to_it)

    # ---------------------------------------------------------------------------------------- for the second person

    def _two_people(self) -> Iterator[Step]:
        """The only administrator proposes a change that waits for the street administrator.

        In the community of 张桂兰 the street administrator has also agreed to an earlier change and acknowledged what
        was changed by one person alone.
        """
        place = self.place
        admin = place.scope(place.holder(Role.community_admin))
        wants: list[Waiting | None] = []

        async def propose_longer_days() -> None:
            wants.append(await change_policy(admin, "review_over_minutes", 780))

        async def propose_shorter_notice() -> None:
            await change_policy(admin, "notice_days", 5)

        async def agree() -> None:
            [waits] = wants
            assert waits is not None
            street = place.scope(place.holder(Role.street_admin))
            await decide_change(street, waits.waiting, "agree", "与街道的值班安排一致")

        async def see() -> None:
            await acknowledge(place.scope(place.holder(Role.street_admin)))

        yield Step(self.ago(days=1, hours=2), place.id, propose_shorter_notice)
        if any(person.name == "张桂兰" for person in self._told):
            yield Step(self.ago(days=6), place.id, propose_longer_days)
            yield Step(self.ago(days=5, hours=3), place.id, agree)
            yield Step(self.ago(days=5, hours=2), place.id, see)
            yield from self._at_the_counter_for_two()

    def _at_the_counter_for_two(self) -> Iterator[Step]:
        """A counter confirmation that the keeper asks for today, and a card that a second person must still confirm."""
        place, keeper = self.place, self.place.keepers[self.station]
        without, holder = [p for p in self._others() if p.door is not keeper.door and p.id not in place.cards][2:4]

        async def ask() -> None:
            wanted = SpendingIn(without.id, place.goods["香皂"].id, place.stations[self.station])
            await ask_to_spend(place.keeper(self.station), wanted)

        async def give_a_card() -> None:
            await issue_card(place.keeper(self.station), holder.id)

        yield Step(self.ago(minutes=20), place.id, ask)
        yield Step(self.ago(minutes=50), place.id, give_a_card)

    # ------------------------------------------------------------------------------------------------ for the families

    def _shift(self) -> Iterator[Step]:
        """A shift of homework help tomorrow with some sign-ups."""
        place, tomorrow = self.place, self.year.today + timedelta(days=1)
        begins = clock.at_local(tomorrow, LESSON_AT)

        async def plan() -> None:
            wanted = ShiftIn(place.stations[self.station], begins, begins + timedelta(minutes=90), 4)
            shift = await add_shift(place.keeper(self.station), place.activities["四点半辅导"], wanted)
            for person in (place.named("张桂兰"), *self._others()[:1]):
                await sign_up(place.scope(person), shift.id)

        yield Step(self.ago(days=2, hours=1), place.id, plan)

    def _lessons(self) -> Iterator[Step]:
        """A seat in the next lesson, and a waiting booking for the one after it, which is full."""
        place, course = self.place, self.year.schooling.running[0]
        guardian = place.named("刘洋")
        girl = place.wards[guardian][0]
        family = [(guardian, girl), *self._other_pupils(course.age_min, course.age_max, course.points_per_hour)]
        for who, child in family:
            yield from Purchase(
                place=place,
                guardian=who,
                child=child,
                course=course,
                minutes=CLASS_HOURS * 60,
                at=self.ago(days=2, hours=5),
            ).steps()
        seats = max(1, len(family) - 1)
        lessons = [
            Lesson(course, clock.at_local(self.year.today + timedelta(days=days), LESSON_AT), at_most)
            for days, at_most in ((3, 8), (10, seats))
        ]

        async def put_on_the_calendar() -> None:
            for lesson in lessons:
                wanted = LessonIn(lesson.starts, lesson.seats, minutes=60)
                lesson.id = (await add_lesson(place.system, course.id, wanted)).id

        yield Step(self.ago(days=2, hours=6), place.id, put_on_the_calendar)
        for lesson in lessons:
            in_line = family if lesson is lessons[0] else [*family[1:], family[0]]
            for number, (who, child) in enumerate(in_line):
                booked = self.ago(days=1, hours=3) + timedelta(minutes=number)
                yield from Booking(
                    place=place, guardian=who, child=child, lesson=lesson, booked=booked, ended=None, how="open"
                ).steps()

    def _other_pupils(self, youngest: int, oldest: int, price: int) -> list[tuple[Resident, Resident]]:
        today, wards = self.year.today, self.place.wards
        return [
            (guardian, child)
            for guardian in self._others()
            if self.year.purses[guardian].points > CLASS_HOURS * price + 20
            for child in wards.get(guardian, ())[:1]
            if youngest <= age_on(child.born_on, today) <= oldest
        ][:3]
