"""Make the residents of the demo: households with people of all ages, with and without a phone."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID

from timebank.demo.county import GRIDS, ROOMS, UNITS, CommunityPlan
from timebank.demo.names import RARE, SIGN_IN_PHONES, Numbers, child_of, grown_up, phone
from timebank.people.identity.ages import age_on

NIL = UUID(int=0)


@dataclass(eq=False, slots=True, kw_only=True)
class Resident:
    """A resident of the demo; `id` is set when the person is added."""

    name: str
    sex: str
    born_on: date
    door: "Door"
    relation: str
    phone: str | None = None
    identity: str | None = None
    id: UUID = NIL


@dataclass(eq=False, slots=True)
class Door:
    """One household: its address and members, the head first."""

    grid: str
    building: str
    unit: str
    room: str
    members: list[Resident] = field(default_factory=list)

    @property
    def area(self) -> tuple[str, str, str]:
        return self.grid, self.building, self.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person whom the demo names: somebody who signs in, or somebody close to them."""

    name: str
    sex: str
    born: date
    building: str
    unit: str
    room: str
    role: str | None = None
    parent_of: tuple[str, str] | None = None


KNOWN: dict[str, tuple[Known, ...]] = {
    "凤凰社区": (
        Known(
            name="赵丽",
            sex="女",
            born=date(1982, 6, 6),
            building="5栋",
            unit="2单元",
            room="301",
            role="community_admin",
        ),
        Known(
            name="周敏",
            sex="女",
            born=date(1978, 11, 30),
            building="5栋",
            unit="1单元",
            room="202",
            role="station_keeper",
        ),
        Known(
            name="张桂兰", sex="女", born=date(1958, 3, 12), building="3栋", unit="1单元", room="101", role="volunteer"
        ),
        Known(name="张国庆", sex="男", born=date(1955, 10, 1), building="3栋", unit="1单元", room="101"),
        Known(
            name="王建国",
            sex="男",
            born=date(1960, 5, 4),
            building="3栋",
            unit="2单元",
            room="201",
            role="building_head",
        ),
        Known(
            name="李秀英", sex="女", born=date(1963, 8, 20), building="3栋", unit="1单元", room="302", role="unit_head"
        ),
        Known(
            name="陈明", sex="男", born=date(1985, 1, 9), building="5栋", unit="1单元", room="101", role="grid_worker"
        ),
        Known(
            name="刘洋",
            sex="女",
            born=date(1988, 2, 14),
            building="6栋",
            unit="2单元",
            room="401",
            role="guardian",
            parent_of=("刘小雨", "女"),
        ),
        Known(
            name="钱进", sex="男", born=date(1979, 7, 7), building="5栋", unit="1单元", room="402", role="street_admin"
        ),
        Known(
            name="吴昊",
            sex="男",
            born=date(1980, 12, 12),
            building="5栋",
            unit="1单元",
            room="502",
            role="county_admin",
        ),
        Known(name="孙伟", sex="男", born=date(1975, 4, 18), building="5栋", unit="1单元", room="302", role="auditor"),
        Known(name="许小兰", sex="女", born=date(1969, 1, 25), building="6栋", unit="1单元", room="102"),
        Known(
            name="欧阳凯伟", sex="男", born=date(1979, 3, 3), building="7栋", unit="1单元", room="201", role="grid_head"
        ),
        Known(
            name="郑红梅",
            sex="女",
            born=date(1984, 7, 15),
            building="7栋",
            unit="2单元",
            room="302",
            role="unit_contact",
        ),
        Known(
            name="苏春兰", sex="女", born=date(1964, 10, 9), building="8栋", unit="1单元", room="101", role="mediator"
        ),
        Known(
            name="邓飞",
            sex="男",
            born=date(1995, 5, 20),
            building="8栋",
            unit="2单元",
            room="402",
            role="mobile_worker",
        ),
    ),
    "龙泉社区": (Known(name="何静", sex="女", born=date(1986, 9, 9), building="1栋", unit="1单元", room="101"),),
    "青溪社区": (Known(name="马涛", sex="男", born=date(1984, 2, 2), building="1栋", unit="1单元", room="102"),),
}
ROLES = (
    "community_admin", "station_keeper", "volunteer", "building_head", "unit_head", "grid_worker", "guardian",
    "street_admin", "county_admin", "auditor", "grid_head", "unit_contact", "mediator", "mobile_worker",
)  # fmt: skip
CHILD = ("子", "女")
LITTLE_GIRL_AGE = 9
"""The age of the guardian's child on the day of seeding."""


def populate(plan: CommunityPlan, rng: Random, numbers: Numbers, today: date) -> list[Resident]:
    """The community's people, exactly as many as planned, children last."""
    doors = _doors(plan, rng)
    grown = _known_people(plan, doors, numbers, today)
    for name, sex in RARE:
        grown.append(_adult(rng, numbers, _free(doors), name, sex, rng.randrange(30, 76), "户主", today))
    while len(grown) < plan.people - plan.children:
        grown += _household(rng, numbers, _free(doors), plan.people - plan.children - len(grown), today)
    young = list(dict.fromkeys(c for person in grown for c in person.door.members if c.relation in CHILD))
    parents = [p for p in grown if 26 <= age_on(p.born_on, today) <= 47 and p.relation == "户主"]
    while len(young) < plan.children:
        young.append(_child(rng, numbers, rng.choice(parents), today))
    return [*grown, *young]


def _doors(plan: CommunityPlan, rng: Random) -> list[Door]:
    doors, number = [], 0
    for grid, count in zip(GRIDS, plan.buildings, strict=True):
        for _ in range(count):
            number += 1
            doors += [Door(grid, f"{number}栋", unit, room) for unit in UNITS for room in ROOMS]
    rng.shuffle(doors)
    return doors


def _free(doors: list[Door]) -> Door:
    return next(door for door in doors if not door.members)


def _known_people(plan: CommunityPlan, doors: list[Door], numbers: Numbers, today: date) -> list[Resident]:
    people = []
    for known in KNOWN[plan.name]:
        place = (known.building, known.unit, known.room)
        door = next(d for d in doors if (d.building, d.unit, d.room) == place)
        relation = "配偶" if door.members else "户主"
        own_phone = phone(SIGN_IN_PHONES[ROLES.index(known.role)]) if known.role else numbers.phone()
        identity = numbers.identity(known.born, known.sex)
        person = Resident(
            name=known.name,
            sex=known.sex,
            born_on=known.born,
            door=door,
            relation=relation,
            phone=own_phone,
            identity=identity,
        )
        door.members.append(person)
        people.append(person)
        if known.parent_of:
            name, sex = known.parent_of
            born = date(today.year - LITTLE_GIRL_AGE, today.month, 1) - timedelta(days=40)
            door.members.append(
                Resident(
                    name=name,
                    sex=sex,
                    born_on=born,
                    door=door,
                    relation="女",
                    phone=None,
                    identity=numbers.identity(born, sex),
                )
            )
    return people


def _household(rng: Random, numbers: Numbers, door: Door, room: int, today: date) -> list[Resident]:
    """One to four adults of one household, at most `room`."""
    sex = rng.choice("男女")
    age = min(88, max(22, int(rng.gauss(52, 16))))
    made = [_adult(rng, numbers, door, grown_up(rng, sex), sex, age, "户主", today)]
    if rng.random() < 0.66 and room > 1:
        other = "女" if sex == "男" else "男"
        made.append(_adult(rng, numbers, door, grown_up(rng, other), other, max(22, age - 2), "配偶", today))
    if rng.random() < 0.2 and age < 60 and room > 2:
        sex = rng.choice("男女")
        older = min(92, age + rng.randrange(22, 32))
        made.append(
            _adult(rng, numbers, door, grown_up(rng, sex), sex, older, "母亲" if sex == "女" else "父亲", today)
        )
    if rng.random() < 0.25 and age > 48 and room > 3:
        sex = rng.choice("男女")
        name = child_of(rng, made[0].name)
        made.append(
            _adult(rng, numbers, door, name, sex, age - rng.randrange(24, 28), "女儿" if sex == "女" else "儿子", today)
        )
    return made


def _adult(
    rng: Random, numbers: Numbers, door: Door, name: str, sex: str, age: int, relation: str, today: date
) -> Resident:
    born = date(today.year - age, rng.randrange(1, 13), rng.randrange(1, 28)) - timedelta(days=365)
    number = None if age > 72 and rng.random() < 0.4 else numbers.phone()
    person = Resident(
        name=name,
        sex=sex,
        born_on=born,
        door=door,
        relation=relation,
        phone=number,
        identity=numbers.identity(born, sex),
    )
    door.members.append(person)
    return person


def _child(rng: Random, numbers: Numbers, parent: Resident, today: date) -> Resident:
    sex = rng.choice("男女")
    born = today - timedelta(days=rng.randrange(3 * 366, 13 * 365))
    child = Resident(
        name=child_of(rng, parent.name),
        sex=sex,
        born_on=born,
        door=parent.door,
        relation="女" if sex == "女" else "子",
        phone=None,
    )
    child.identity = numbers.identity(born, sex)
    parent.door.members.append(child)
    return child
