"""When the matters of the demo's year are received, what they are about and how soon they are done: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import NamedTuple

from timebank.areas.workdays import Workdays
from timebank.demo.neighbourhood.teams import CARE, HOME, REPAIR
from timebank.demo.neighbourhood.units import CITY, OTHER_PROPERTY, POWER, PROPERTY, WATER

LATELY, MONTH, YEAR = 10, 30, 340
"""The matters of the last `LATELY` days are told one by one in `recent`; the others are planned here."""
SETTLED_AFTER = 3
SAME_DAY, TWO_DAYS, THREE_DAYS = 0.52, 0.815, 0.93
"""The parts that are done in time: the third stays below what the communities want to reach."""
WORKER = "网格员"
"""Handled by the worker of the grid."""
FIRM = "物业"
"""Handled by the firm that looks after the community."""
SILENT_AFTER = 10
ADVICE = "policy"
"""A question, and nothing that a head finds in the building."""


class Topic(NamedTuple):
    """A category with who handles it, its days until due, what people say of it and what is done."""

    category: str
    handler: str
    due: int
    told: tuple[tuple[str, str], ...]
    pictured: bool = False


TOPICS = (
    Topic("street_light", POWER, 2, (
        ("楼下路灯不亮，晚上看不清台阶", "换了灯泡，已经亮了"), ("院子东头两盏灯一闪一闪", "换了整流器，不闪了"),
    )),
    Topic("manhole", CITY, 1, (("单元门口井盖松了，踩上去会响", "重新垫平，加了胶圈"),), pictured=True),
    Topic("leak", WATER, 1, (
        ("地下室墙面湿了一片，一直在滴水", "换了接头，不漏了"), ("下水道反味，怕是堵了", "疏通过，水下得去了"),
    )),
    Topic("rubbish", FIRM, 1, (("楼后堆了装修垃圾，两天了", "清运干净了"),), pictured=True),
    Topic("facilities", FIRM, 2, (("院里长椅断了一根木条，长辈坐着不稳", "换了木条，磨平了"),), pictured=True),
    Topic("stairwell", WORKER, 3, (("三楼楼道堆了纸箱，担架过不去", "劝过以后自己搬走了"),), pictured=True),
    Topic("parking", WORKER, 3, (
        ("车停在盲道上，推轮椅过不去", "联系车主挪走了，画了线"), ("单元门口被车堵着", "车主挪走了，留了电话"),
    )),
    Topic("noise", WORKER, 3, (("晚上十点还在装修", "说好八点以后停工"),)),
    Topic("adverts", CITY, 3, (("单元门上贴满小广告", "清理干净了"),), pictured=True),
    Topic("greenery", FIRM, 5, (("树枝挡住二楼的窗户", "修剪好了"), ("花坛里的树苗倒了", "重新栽好，搭了架子"))),
    Topic(ADVICE, WORKER, 1, (("老年公交卡在哪里办，要带什么", "电话里说清楚了，材料单也发给本人了"),)),
)  # fmt: skip
ORDERS = (
    Topic("repair", REPAIR, 5, (
        ("厨房的灯不亮，自己够不着", "换了灯管"), ("水龙头关不紧", "换了垫圈，不滴了"),
        ("洗衣机不转", "清了过滤网，转了"),
    )),
    Topic("errands", CARE, 3, (("腿脚不便，想请人取一趟药", "药取来了，念了两遍说明"),)),
    Topic("escort", CARE, 3, (("周五要去医院复查，想请人陪着", "陪着看完病，送到家"),)),
)  # fmt: skip
ORDER_EVERY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A matter before it has people: `building` is the number of its place among the community's."""

    days_ago: int
    minute: int
    topic: Topic
    said: str
    result: str
    done_days: int
    building: int
    by_head: bool
    pictured: bool
    answered: bool
    stars: int
    pace: int

    @property
    def is_order(self) -> bool:
        return self.topic in ORDERS


class Share(NamedTuple):
    """How many matters of a community are of the last month and of the year before, without the last ten days."""

    month: int
    year: int


SHARES = {"凤凰社区": Share(22, 31), "龙泉社区": Share(6, 18), "青溪社区": Share(5, 14)}
RECENT_DONE = {HOME: (1, 0, 0, 0, 1)}
"""After how many days those of the last ten days are done whose third day is over, as `recent` tells them."""


def late_since(today: date, known: Workdays) -> int:
    """How many days ago the matter fell due that was urged twice: the day before the last working day."""
    ago = 0
    while not known.is_workday(date.fromordinal(today.toordinal() - ago)):
        ago += 1
    return ago + 1


def wanted_days(many: int, others: Sequence[int | None] = ()) -> list[int]:
    """After how many days each of these is done, so that with the others the three figures are as they should be.

    `others` that are not done are None.
    """
    of = many + len(others)
    reached = [round(part * of) for part in (SAME_DAY, TWO_DAYS, THREE_DAYS)]
    for number in range(3):
        reached[number] -= sum(1 for days in others if days is not None and days <= number)
    same, two, three = reached
    return [0] * same + [1] * (two - same) + [2] * (three - two) + [4] * (many - three)


def planned(community: str, today: date, buildings: int, known: Workdays) -> list[Planned]:
    """The matters of a community's year but for the last ten days, the same on every machine."""
    rng, share = Random(f"matters of {community}"), SHARES[community]
    others: list[int | None] = list(RECENT_DONE.get(community, ()))
    if community == HOME and late_since(today, known) + 1 >= SETTLED_AFTER:
        others.append(None)
    found = []
    for many, first, last, beside in ((share.month, MONTH - 1, LATELY, others), (share.year, YEAR, MONTH, [])):
        days = wanted_days(many, beside)
        rng.shuffle(days)
        for number, done_days in enumerate(days):
            ago = first - (first - last) * number // max(many - 1, 1)
            is_order = community == HOME and number % ORDER_EVERY == ORDER_EVERY - 1 and done_days < SETTLED_AFTER
            topic = rng.choice([t for t in (ORDERS if is_order else TOPICS) if t.due >= done_days])
            said, result = rng.choice(topic.told)
            found.append(
                Planned(
                    days_ago=ago, minute=rng.randrange(8 * 60, 15 * 60), topic=topic, said=said, result=result,
                    done_days=done_days, building=rng.randrange(buildings),
                    by_head=not is_order and topic.category != ADVICE and rng.random() < 0.15,
                    pictured=topic.pictured and rng.random() < 0.4,
                    answered=is_order or ago < SILENT_AFTER + LATELY or rng.random() < 0.7,
                    stars=rng.choice((3, 4, 4, 5, 5, 5)), pace=rng.randrange(10, 45),
                )
            )  # fmt: skip
    return found


def unit_of(topic: Topic, community: str) -> str | None:
    """The unit that handles a topic in a community; None where it is a person or a team."""
    if topic.handler == FIRM:
        return OTHER_PROPERTY if community == "青溪社区" else PROPERTY
    return None if topic.handler in (WORKER, REPAIR, CARE) else topic.handler
