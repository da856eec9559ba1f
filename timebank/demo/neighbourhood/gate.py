"""The shifts at the school's gate both ways, as they stand now."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from timebank.activities.patterns.patterns import add_pattern
from timebank.activities.patterns.schemas import PatternIn
from timebank.activities.patterns.standing import stand
from timebank.activities.shifts import shifts
from timebank.activities.substitutes import offer_seat
from timebank.core import clock
from timebank.demo.neighbourhood.teams import ESCORT, GATE, GATE_ACTIVITY
from timebank.demo.place import Place
from timebank.demo.stories import Step
from timebank.teams.members import join_team
from timebank.teams.schemas import MemberIn

BOTH_WAYS = (("07:20", "07:50"), ("16:20", "16:50"))
SEATS, SEATS_MIN = 3, 2
ASKING = "李秀英"
"""Asks to join the escort team; its leader has not answered yet."""


@dataclass(slots=True)
class Gate:
    """The patterns of the two ways, who stands for which days, a seat on offer, and somebody who asks to join."""

    place: Place
    now: datetime
    patterns: list[UUID] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        if ESCORT not in self.place.teams:
            return
        for hours, act in ((50, self._plan), (49, self._stand), (4, self._ask), (2, self._offer)):
            yield Step(self.now - timedelta(hours=hours), self.place.id, act)

    async def _plan(self) -> None:
        for begins, ends in BOTH_WAYS:
            wanted = PatternIn(
                activity_id=self.place.activities[GATE_ACTIVITY], station_id=self.place.gates[GATE],
                weekdays=[1, 2, 3, 4, 5], starts_at=begins, ends_at=ends, seats=SEATS, seats_min=SEATS_MIN,
            )  # fmt: skip
            self.patterns.append((await add_pattern(self.place.admin, wanted)).id)

    async def _stand(self) -> None:
        """Each of the team stands for two days of the week, every second one on both ways."""
        for number, person in enumerate(self.place.members[ESCORT]):
            for pattern in self.patterns[: 1 + number % 2]:
                for weekday in (1 + number % 5, 1 + (number + 2) % 5):
                    await stand(self.place.scope(person), pattern, weekday)

    async def _ask(self) -> None:
        person = self.place.named(ASKING)
        await join_team(self.place.scope(person), self.place.teams[ESCORT], MemberIn(person.id))

    async def _offer(self) -> None:
        """The first of the team who has a seat before long cannot come, and looks for somebody else."""
        for person in self.place.members[ESCORT][1:]:
            own = self.place.scope(person)
            coming = (await shifts(own, self.place.activities[GATE_ACTIVITY])).items
            seats = [one for one in coming if one.signed_up and one.starts_at > clock.now()]
            if seats:
                await offer_seat(own, seats[0].id)
                return
