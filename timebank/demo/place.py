"""One community of the demo while it is seeded: ids by name, and a scope for everybody who acts."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from timebank.access.roles.grants import grant
from timebank.access.roster import ensure_logins
from timebank.access.schemas import GrantIn
from timebank.access.sign_in.logins import enter_logins
from timebank.activities.offers import add_activity
from timebank.activities.schemas import ActivityIn
from timebank.areas.places import add_area
from timebank.cards.cards import cards_of, issue_missing_cards
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Community, Grant, ResidentRecord, Role, Scope
from timebank.demo.county import (
    ACTIVITIES,
    CLOSES,
    DEED_RULES,
    GOODS,
    GRIDS,
    MINUTES_PER_POINT,
    MORE_GOODS,
    OPENS,
    REPORT_RULES,
    SERVICE_RULE,
    TRIGGERS,
    UNITS,
    USES,
    CommunityPlan,
)
from timebank.demo.drawings import drawing
from timebank.demo.population import Resident
from timebank.people.enrolment.enrolling import enrol_many
from timebank.people.schemas import Enrolment
from timebank.policies.values import change_policy
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn
from timebank.shop.goods import add_good
from timebank.shop.photos import set_photo
from timebank.shop.schemas import GoodIn, GoodOut
from timebank.shop.shelves.stock import receive
from timebank.stations.schemas import StationIn
from timebank.stations.stations import add_station

FIRST_STOCK = 60


@dataclass(eq=False, slots=True, kw_only=True)
class Place:
    """A community. `keepers`: by station; `cards`: the text of a card by person; `wards`: children by guardian.

    `path` holds the ids from the county down to the community, `uses` the capabilities that it has switched on.
    `units` and `contacts`, each with the place where they live, are the county's; `guests` live in another community
    and are on record here too. `members` of a team begin with its leader.
    """

    plan: CommunityPlan
    path: tuple[UUID, ...]
    people: list[Resident]
    areas: dict[tuple[str, ...], UUID] = field(default_factory=dict)
    stations: dict[str, UUID] = field(default_factory=dict)
    activities: dict[str, UUID] = field(default_factory=dict)
    goods: dict[str, GoodOut] = field(default_factory=dict)
    keepers: dict[str, Resident] = field(default_factory=dict)
    cards: dict[UUID, str] = field(default_factory=dict)
    wards: dict[Resident, list[Resident]] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()
    units: dict[str, UUID] = field(default_factory=dict)
    contacts: dict[str, "tuple[Place, Resident]"] = field(default_factory=dict)
    guests: list[Resident] = field(default_factory=list)
    teams: dict[str, UUID] = field(default_factory=dict)
    members: dict[str, list[Resident]] = field(default_factory=dict)
    gates: dict[str, UUID] = field(default_factory=dict)
    _grants: dict[Resident, list[Grant]] = field(default_factory=dict)
    _logins: dict[UUID, UUID] = field(default_factory=dict)
    _households: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.path[-1]

    @property
    def system(self) -> Scope:
        return Scope.of_system(self.id, via="demo")

    def scope(self, person: Resident) -> Scope:
        """The scope that a session of this person would have."""
        mine = ResidentRecord(
            community_id=self.id,
            person_id=person.id,
            name=person.name,
            community_name=self.plan.name,
            path=self.path,
            household_id=self._households.get(person.id),
            uses=self.uses,
        )
        grants = frozenset(self._grants.get(person, ()))
        return Scope(
            community_id=self.id, persons=(mine,), grants=grants, login_id=self._logins.get(person.id), via="demo"
        )

    def scope_at(self, other: "Place", person: Resident) -> Scope:
        """The scope of somebody who lives here in another community, which a grant of theirs reaches."""
        there = Community(id=other.id, name=other.plan.name, path=other.path, uses=other.uses)
        return replace(self.scope(person), community_id=other.id, addressed=there)

    def contact(self, unit: str) -> Scope:
        """The scope in which the contact of a unit serves this community."""
        home, person = self.contacts[unit]
        return home.scope_at(self, person)

    @property
    def admin(self) -> Scope:
        return self.scope(self.holder(Role.community_admin))

    def keeper(self, station: str) -> Scope:
        return self.scope(self.keepers[station])

    def named(self, name: str) -> Resident:
        return next(person for person in self.people if person.name == name)

    def holder(self, role: Role) -> Resident:
        """The first person to whom the role was granted."""
        return next(person for person, held in self._grants.items() if any(g.role == role for g in held))

    def offices(self, role: Role) -> list[tuple[Resident, tuple[str, ...]]]:
        """The people with this role over an area, each with the names of the area."""
        names = {area_id: name for name, area_id in self.areas.items()}
        return [
            (person, names[g.area_id])
            for person, held in self._grants.items()
            for g in held
            if g.role == role and g.area_id
        ]

    async def appoint(
        self, person: Resident, role: Role, *, region_id: UUID | None = None, area_id: UUID | None = None,
        station_id: UUID | None = None, unit_id: UUID | None = None,
    ) -> None:  # fmt: skip
        """Grant a role to a person, and add it to their scope."""
        asked = GrantIn(
            person_id=person.id, role=role, region_id=region_id, area_id=area_id, station_id=station_id,
            unit_id=unit_id,
        )  # fmt: skip
        await grant(self.system, asked)
        held = Grant(role=role, community_id=self.id, area_id=area_id, station_id=station_id, unit_id=unit_id)
        if region_id in self.path[:-1]:
            held = Grant(role=role, region_id=region_id, unit_id=unit_id)
        self._grants.setdefault(person, []).append(held)

    def holds_any_role(self, person: Resident) -> bool:
        return person in self._grants

    async def join_logins(self, people: list[Resident]) -> None:
        """Join records of people who are known elsewhere to the logins of their phones, as the operator."""
        joined = await enter_logins(self.system, [(p.phone, p.id) for p in people if p.phone], agreed=True)
        self._logins |= {each.person_id: each.login_id for each in joined}

    async def switch_on(self) -> None:
        """Switch on, as the community's administrator, what it uses besides."""
        admin = self.holder(Role.community_admin)
        for name in USES:
            assert await change_policy(self.scope(admin), f"uses_{name}", 1) is None
        self.uses = frozenset(USES)

    async def found(self) -> None:
        """Add the community's areas, stations, rules and people."""
        await self._build()
        await self._open()
        await self._put_rules_in_force()
        await self._enter_people()

    async def furnish(self) -> None:
        """Add the community's cards and goods."""
        await self._give_cards()
        await self._stock_up()

    async def _build(self) -> None:
        number = 0
        for grid, count in zip(GRIDS, self.plan.buildings, strict=True):
            above = await add_area(self.system, "grid", grid, None)
            self.areas[grid,] = above.id
            for _ in range(count):
                number += 1
                building = await add_area(self.system, "building", f"{number}栋", above.id)
                self.areas[grid, building.name] = building.id
                for unit in UNITS:
                    place = await add_area(self.system, "unit", unit, building.id)
                    self.areas[grid, building.name, unit] = place.id

    async def _open(self) -> None:
        for (name, address), grid in zip(self.plan.stations, GRIDS, strict=False):
            wanted = StationIn(name=name, address=address, area_id=self.areas[grid,], opens_at=OPENS, closes_at=CLOSES)
            self.stations[name] = (await add_station(self.system, wanted)).id

    async def _put_rules_in_force(self) -> None:
        code, name = SERVICE_RULE
        await set_rule(
            self.system, RuleIn(kind="service", name=name, code=code, minutes_per_point=MINUTES_PER_POINT[0])
        )
        for code, name, points, unit, period, per_person, per_area in (*DEED_RULES, *REPORT_RULES):
            wanted = RuleIn(
                kind="deed", name=name, code=code, points=points, unit=unit, cap_period=period,
                cap_per_person=per_person,
                cap_per_area=per_area, trigger=TRIGGERS.get(code),
            )  # fmt: skip
            await set_rule(self.system, wanted)
        for name, description, needs_sign_up in ACTIVITIES:
            offered = ActivityIn(
                name=name, rule_code=SERVICE_RULE[0], description=description, needs_sign_up=needs_sign_up
            )
            self.activities[name] = (await add_activity(self.system, offered)).id

    async def _enter_people(self) -> None:
        enrolments = [
            Enrolment(
                name=p.name, sex="女" if p.sex == "女" else "男", born_on=p.born_on, identity=p.identity, phone=p.phone,
                relation=p.relation, area_id=self.areas[p.door.area], room=p.door.room,
                head_name=p.door.members[0].name, publishes_name=len(p.name) == 3 and p.born_on.day == 1,
            )
            for p in self.people
        ]  # fmt: skip
        for person, entered in zip(self.people, await enrol_many(self.system, enrolments), strict=True):
            person.id = entered.person_id
        await ensure_logins(self.system, [(p.phone, p.id) for p in self.people if p.phone])
        async with transaction(self.system):
            homes = await database.fetch("SELECT id, household_id FROM person WHERE community_id = $1", self.id)
            logins = await database.fetch("SELECT person_id, login_id FROM membership WHERE community_id = $1", self.id)
        self._households = {_uuid(row["id"]): _uuid(row["household_id"]) for row in homes}
        self._logins = {_uuid(row["person_id"]): _uuid(row["login_id"]) for row in logins}

    async def _give_cards(self) -> None:
        await issue_missing_cards(self.system)
        self.cards = {card.person_id: card.url for card in await cards_of(self.system)}

    async def _stock_up(self) -> None:
        for name, points, unit, limit in (*GOODS, *MORE_GOODS):
            good = await add_good(self.system, GoodIn(name, points, unit, limit))
            self.goods[name] = await set_photo(self.system, good.id, drawing(name))
            for station_id in self.stations.values():
                await receive(self.system, good.id, station_id, FIRST_STOCK, "开站备货")


def _uuid(value: object) -> UUID:
    """Convert the driver's UUID to the standard library's."""
    return UUID(str(value))
