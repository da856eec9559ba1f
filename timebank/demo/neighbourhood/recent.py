"""The matters of the last ten days, so that each state exists now and everybody who signs in has something to do."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from timebank.core import clock
from timebank.core.scope import Role, Scope
from timebank.demo.neighbourhood.gifts import bring_and_collect
from timebank.demo.neighbourhood.loop import Loop
from timebank.demo.neighbourhood.matters import Cast
from timebank.demo.neighbourhood.plan import late_since
from timebank.demo.neighbourhood.scenes import PLATE
from timebank.demo.neighbourhood.teams import CARE, HOME, REPAIR
from timebank.demo.neighbourhood.units import CITY, FOOD, OTHER_PROPERTY, POWER, PROPERTY, WATER
from timebank.demo.population import Resident
from timebank.demo.stories import Step
from timebank.demo.year import Year
from timebank.matters.jobs.silence import close_silent_matters
from timebank.matters.jobs.urging import urge_matters
from timebank.matters.loop.dispatching import dispatch
from timebank.matters.loop.ending import merge_matters, refuse, reopen, withdraw
from timebank.matters.loop.handling import return_matter, take_matter
from timebank.matters.loop.rating import rate
from timebank.matters.loop.showing import follow, publish
from timebank.matters.loop.talking import ask_reporter, postpone
from timebank.matters.schemas import (
    DispatchIn,
    FollowIn,
    OpenIn,
    PostponeIn,
    PublishIn,
    RatingIn,
    RefuseIn,
    ReturnIn,
)

GRID = "第一网格"
SOLVED = RatingIn(solved=True, stars=5)


class Recent:
    """The matters of one community since ten days ago. `head` dispatches in the first grid, where `worker` works."""

    def __init__(self, year: Year, now: datetime) -> None:
        self.year, self.place, self.now = year, year.place, now
        self.cast = Cast.of(year)
        self.lanes = Random(f"lanes of {year.place.plan.name}")
        self.head = self.place.scope(self.cast.head((GRID,)))
        self.worker = self.cast.worker((GRID,))

    def steps(self) -> Iterator[Step]:
        told = self._at_home() if self.place.plan.name == HOME else self._elsewhere()
        for loop in told:
            yield from loop.steps()

    def on(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        return clock.at_local(self.year.today - timedelta(days=days_ago), time(hour, minute))

    def ago(self, hours: float) -> datetime:
        return self.now - timedelta(hours=hours)

    def area(self, building: str) -> tuple[str, ...]:
        return next(area for area in self.place.areas if len(area) == 2 and area[1] == building)

    @property
    def courier(self) -> Scope:
        return self.place.scope(self.place.holder(Role.mobile_worker))

    def reporter(self, building: str) -> Resident:
        return self.cast.reporter(self.area(building))

    def opened(
        self, by: Scope | Resident, at: datetime, category: str, building: str, said: str, *, scene: str = "",
        kind: str = "report", **more: Any,
    ) -> Loop:  # fmt: skip
        given = {"kind": kind, "category": category, "area_id": self.place.areas[self.area(building)], "said": said}
        return Loop(
            by=by if isinstance(by, Scope) else self.place.scope(by), wanted=msgspec.convert(given | more, OpenIn),
            at=at, lane=UUID(int=self.lanes.getrandbits(128)), scene=scene,
        )  # fmt: skip

    def sent(self, loop: Loop, *, unit: str = "", to: Resident | None = None, takes: bool = True) -> Loop:
        """Dispatched by the grid head after twenty minutes to a unit, a person or the category's team, and taken."""
        wanted = DispatchIn(unit_id=self.place.units.get(unit), person_id=to.id if to else None)
        loop.then(loop.at + timedelta(minutes=20), dispatch, self.head, wanted)
        if takes:
            by = self.place.scope(to) if to else self.place.contact(unit)
            loop.then(loop.at + timedelta(minutes=50), take_matter, by)
        return loop

    # ------------------------------------------------------------------------------------------------- 凤凰社区

    def _at_home(self) -> Iterator[Loop]:
        yield self._urged_twice()
        yield self._final()
        yield from self._merged()
        yield from (self._postponed(), self._refused_but_true(), self._reopened(), self._withdrawn(), self._silent())
        yield from (self._order_reviewed_soon(), self._other_order(), self._order_for_the_team())
        yield self._published()
        yield from self._wishes()
        yield from self._to_do_now()
        yield self._of_a_head()

    def _urged_twice(self) -> Loop:
        due = late_since(self.year.today, self.year.workdays)
        loop = self.sent(
            self.opened(self.reporter("4栋"), self.on(due + 1, 9), "charging", "4栋", "一楼从窗口拉线给电动车充电",
                        scene="charging"),
            unit=PROPERTY,
        )  # fmt: skip
        urged = self.on(due - 1, 9) if due > 1 else self.now - timedelta(minutes=1)
        for at in (self.on(due, 18, 30), urged):
            loop.also(at, lambda: urge_matters(self.place.system))
        return loop

    def _final(self) -> Loop:
        """Sent back by two, so that the level above says who does it for good."""
        loop = self.opened(
            self.reporter("2栋"), self.on(1, 8), "street_light", "2栋", "楼前一根电线垂下来了，离地一人高"
        )
        for hour, unit, other in ((9, POWER, CITY), (11, CITY, POWER)):
            loop.then(self.on(1, hour), dispatch, self.head, DispatchIn(unit_id=self.place.units[unit]))
            back = ReturnIn("看过了，不是我们的线", other)
            loop.then(self.on(1, hour + 1), return_matter, self.place.contact(unit), back)
        return loop.then(self.on(1, 14), dispatch, self.place.admin, DispatchIn(unit_id=self.place.units[POWER]))

    def _merged(self) -> Iterator[Loop]:
        first = self.sent(
            self.opened(self.reporter("3栋"), self.on(2, 9), "parking", "3栋", "一辆面包车堵着消防门，停了三天"),
            unit=PROPERTY,
        )
        for at in (self.on(2, 18), self.on(1, 8)):
            first.then(at, follow, self.place.scope(self.reporter("3栋")), FollowIn("same"))
        other = self.opened(self.reporter("3栋"), self.on(1, 16), "parking", "3栋", "消防门前有车堵着")
        other.also(self.on(1, 17), lambda: merge_matters(self.head, other.id, first.id))
        yield from (first, other)

    def _postponed(self) -> Loop:
        loop = self.sent(
            self.opened(self.reporter("1栋"), self.on(2, 9, 30), "greenery", "1栋", "老槐树的大枝伸到三楼窗前"),
            unit=PROPERTY,
        )
        later = PostponeIn(self.on(-7, 18), "要用升降车，下周才排得上")
        return loop.then(self.on(1, 11), postpone, self.head, later)

    def _refused_but_true(self) -> Loop:
        loop = self.opened(
            self.courier, self.on(5, 10), "facilities", "2栋", "铁路边的围网破了个洞", place="2栋北面的铁路"
        )
        loop.then(self.on(5, 11), refuse, self.head, RefuseIn("not_ours", "围网归铁路管，已经打电话转过去了"))
        return loop.confirm(self.on(5, 15), self.head, "到现场看过，情况属实")

    def _reopened(self) -> Loop:
        who = self.reporter("4栋")
        loop = self.sent(self.opened(who, self.on(2, 10), "noise", "4栋", "楼上半夜放音响"), to=self.worker)
        loop.finish(self.on(2, 16), self.place.scope(self.worker), "上门说过，答应十点以后不放了")
        loop.then(self.on(2, 18), rate, self.place.scope(who), SOLVED)
        return loop.then(self.on(1, 8), reopen, self.place.scope(who), "昨天夜里又放到一点")

    def _withdrawn(self) -> Loop:
        who = self.reporter("3栋")
        loop = self.opened(who, self.on(5, 8), "dogs", "3栋", "有人遛狗不拴绳")
        return loop.then(self.on(5, 9), withdraw, self.place.scope(who))

    def _silent(self) -> Loop:
        loop = self.sent(
            self.opened(self.reporter("1栋"), self.on(9, 9), "leak", "1栋", "水表箱里一直在滴水"), unit=WATER
        )
        loop.finish(self.on(8, 10), self.place.contact(WATER), "换了密封圈")
        return loop.also(self.ago(0.5), lambda: close_silent_matters(self.place.system))

    def _order_reviewed_soon(self) -> Loop:
        served = self.cast.reporter(self.area("2栋"), self.cast.old)
        helper = self.cast.member(REPAIR, 1, served, (GRID,))
        loop = self._ordered(served, self.on(4, 10), "2栋", "卫生间的灯不亮")
        loop.then(self.on(4, 11), take_matter, self.place.scope(helper))
        loop.finish(self.on(3, 11), self.place.scope(helper), "换了灯和开关", minutes=45)
        loop.then(self.on(3, 12), rate, self.head, RatingIn(solved=True, stars=5, words="手脚麻利", called=True))
        return loop.confirm(self.on(3, 12, 30), self.head)

    def _other_order(self) -> Loop:
        served = self.reporter("1栋")
        helper = self.cast.member(CARE, 2, served, (GRID,))
        loop = self.opened(served, self.on(3, 8), "errands", "1栋", "脚扭了，想请人取一趟药", kind="order")
        loop.then(self.on(3, 8, 20), dispatch, self.head, DispatchIn())
        loop.then(self.on(3, 9), take_matter, self.place.scope(helper))
        loop.finish(self.on(3, 11), self.place.scope(helper), "药取来了", minutes=50)
        loop.then(self.on(3, 13), rate, self.place.scope(served), SOLVED)
        return loop.confirm(self.on(3, 14), self.head)

    def _order_for_the_team(self) -> Loop:
        served = self.cast.reporter(self.area("4栋"), self.cast.old)
        return self._ordered(served, self.ago(6), "4栋", "水龙头关不紧，夜里一直滴")

    def _ordered(self, served: Resident, at: datetime, building: str, said: str) -> Loop:
        keeper = self.place.keeper(next(iter(self.place.stations)))
        loop = self.opened(keeper, at, "repair", building, said, kind="order", for_person_id=served.id, at_home=True)
        return loop.then(at + timedelta(minutes=20), dispatch, self.head, DispatchIn())

    def _published(self) -> Loop:
        who, worker = self.reporter("3栋"), self.place.scope(self.worker)
        loop = self.sent(
            self.opened(who, self.on(6, 9), "stairwell", "3栋", "楼道里堆着纸箱和电动车", scene="stairwell"),
            to=self.worker,
        )
        loop.finish(self.on(6, 15), worker, "纸箱清走了，电动车说好推到车棚", scene="stairwell.after")
        loop.then(self.on(6, 18), rate, self.place.scope(who), SOLVED).confirm(self.on(6, 19), self.head)
        return loop.show(self.on(5, 9), self.head, "楼道的纸箱清走了，担架过得去了。谢谢邻居们。", PLATE)

    def _of_a_head(self) -> Loop:
        wang = self.place.named("王建国")
        loop = self.sent(
            self.opened(wang, self.on(3, 8), "facilities", "3栋", "三楼窗台的花盆松了，下面是路", kind="event"),
            unit=PROPERTY,
        )
        loop.finish(self.on(3, 14), self.place.contact(PROPERTY), "搬下来，窗台加了护栏", scene="facilities.after")
        return loop.then(self.on(3, 16), rate, self.place.scope(wang), SOLVED).confirm(self.on(3, 18), self.head)

    def _to_do_now(self) -> Iterator[Loop]:
        """What waits for the grid head, the unit's contact, the grid worker and the resident who sign in."""
        named = self.place.named
        yield self.opened(named("许小兰"), self.ago(2), "street_light", "3栋", "3栋门口的灯昨晚没亮")
        yield self.opened(
            self.courier, self.ago(1), "manhole", "1栋", "井盖翘起来了，骑车差点摔", kind="event", scene="manhole"
        )
        yield self.sent(
            self.opened(self.reporter("4栋"), self.ago(4), "rubbish", "4栋", "楼后又堆了旧沙发", scene="rubbish"),
            unit=PROPERTY, takes=False,
        )  # fmt: skip
        yield self.sent(
            self.opened(self.reporter("2栋"), self.on(1, 16), "stairwell", "2栋", "四楼门口堆着鞋柜"), to=self.worker,
            takes=False,
        )  # fmt: skip
        loop = self.sent(
            self.opened(
                named("张桂兰"), self.on(1, 9), "facilities", "3栋", "楼下长椅断了一根木条", scene="facilities"
            ),
            unit=PROPERTY,
        )
        yield loop.finish(self.on(1, 15), self.place.contact(PROPERTY), "换了木条，磨平了", scene="facilities.after")

    # --------------------------------------------------------------------------------------------------- wishes

    def _wishes(self) -> Iterator[Loop]:
        """One that waits for somebody, one that is taken, and one that was brought and collected."""
        families = [
            (guardian, child) for guardian, children in self.place.wards.items() for child in children
            if child.door.grid == GRID and guardian.door not in self.cast.deciding((GRID,))
        ]  # fmt: skip
        asked: tuple[tuple[int, str, int, str], ...] = (
            (8, "三年级的孩子想要一盏看书的台灯", 150, "一位小学生想要一盏看书的台灯"),
            (7, "孩子想要一双冬天的运动鞋，34 码", 180, "一位小学生想要一双冬天的运动鞋"),
            (9, "孩子想要一套彩笔", 60, "一位小学生想要一套彩笔"),
        )
        made = []
        for (guardian, child), (days, said, value, shown) in zip(families, asked, strict=False):
            loop = self.opened(
                self.place.scope(self.worker), self.on(days, 9), "wish", child.door.building, said, kind="wish",
                for_person_id=child.id, value_max=value,
            )  # fmt: skip
            made.append((loop, guardian, days, shown))
        (waits, _, days, shown), (taken, _, other, also), (brought, guardian, first, _) = made
        for loop, since, text in ((waits, days, shown), (taken, other, also)):
            loop.then(self.on(since, 11), dispatch, self.place.admin, DispatchIn(open_to="all"))
            loop.then(self.on(since, 11, 30), publish, self.place.admin, PublishIn(text))
        taken.then(self.on(other - 1, 19), take_matter, self.place.scope(self.reporter("2栋")))
        brought.then(self.on(first, 11), dispatch, self.place.admin, DispatchIn(unit_id=self.place.units[FOOD]))
        brought.then(self.on(first - 1, 9), take_matter, self.place.contact(FOOD))
        bring_and_collect(self.place, brought, guardian, self.on(first - 3, 15), self.on(first - 4, 10))
        yield from (waits, taken, brought)

    # ------------------------------------------------------------------------------------- the other communities

    def _elsewhere(self) -> Iterator[Loop]:
        """What the same firm has to do in another community today; and a question to who has reported."""
        if self.firm == PROPERTY:
            yield self.sent(
                self.opened(self.reporter("2栋"), self.on(1, 9), "rubbish", "2栋", "车棚后面堆着建筑垃圾"),
                unit=self.firm,
            )
            return
        loop = self.sent(
            self.opened(self.reporter("3栋"), self.on(1, 10), "property", "3栋", "电梯按键按了没反应"), unit=self.firm
        )
        yield loop.then(self.on(1, 15), ask_reporter, self.place.contact(self.firm), "是哪一层的按键？白天在家吗？")

    @property
    def firm(self) -> str:
        """The firm that looks after this community."""
        return OTHER_PROPERTY if self.place.plan.name == "青溪社区" else PROPERTY
