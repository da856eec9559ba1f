"""Two communities with their people, inserted as rows: the data that most tests start with."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from uuid import UUID

import asyncpg

from timebank.access.sign_in import logins, sessions
from timebank.core import clock, database, names, vault
from timebank.core.database import engine, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import ResidentRecord, Role, Scope
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting

BORN = date(1958, 3, 12)
PHOENIX, SPRING = "凤凰社区", "龙泉社区"

# Each person's name, community, building, unit, room and date of birth.
PEOPLE: list[tuple[str, str, str, str, str, date]] = [
    ("张桂兰", PHOENIX, "3栋", "1单元", "101", BORN),
    ("张国庆", PHOENIX, "3栋", "1单元", "101", date(1955, 10, 1)),
    ("王建国", PHOENIX, "3栋", "2单元", "201", date(1960, 5, 4)),
    ("李秀英", PHOENIX, "3栋", "1单元", "302", date(1963, 8, 20)),
    ("陈明", PHOENIX, "5栋", "1单元", "101", date(1985, 1, 9)),
    ("周敏", PHOENIX, "5栋", "1单元", "202", date(1978, 11, 30)),
    ("赵丽", PHOENIX, "5栋", "2单元", "301", date(1982, 6, 6)),
    ("刘洋", PHOENIX, "5栋", "2单元", "401", date(1988, 2, 14)),
    ("刘小雨", PHOENIX, "5栋", "2单元", "401", date(2016, 9, 1)),
    ("孙伟", PHOENIX, "5栋", "1单元", "302", date(1975, 4, 18)),
    ("钱进", PHOENIX, "5栋", "1单元", "402", date(1979, 7, 7)),
    ("吴昊", PHOENIX, "5栋", "1单元", "502", date(1980, 12, 12)),
    ("欧阳凯伟", PHOENIX, "3栋", "2单元", "301", date(1990, 3, 3)),
    ("何静", SPRING, "1栋", "1单元", "101", date(1986, 9, 9)),
    ("马涛", SPRING, "1栋", "1单元", "102", date(1966, 2, 2)),
]


@dataclass(kw_only=True)
class Town:
    """Ids by name; `scope("张桂兰")` returns that person's scope, `sign_in("张桂兰")` a bearer header."""

    county: UUID
    street: UUID
    communities: dict[str, UUID]
    areas: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    households: dict[str, UUID] = field(default_factory=dict)
    home: dict[str, UUID] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    logins: dict[str, UUID] = field(default_factory=dict)
    stations: dict[str, UUID] = field(default_factory=dict)
    activities: dict[str, UUID] = field(default_factory=dict)
    goods: dict[str, UUID] = field(default_factory=dict)
    course: UUID = field(default_factory=clock.new_id)
    lessons: list[UUID] = field(default_factory=list)
    _given: int = 0
    operator_url: ClassVar[str] = ""

    @property
    def community(self) -> UUID:
        return self.communities[PHOENIX]

    def system(self, community: str = PHOENIX) -> Scope:
        return Scope.of_system(self.communities[community])

    async def token(self, name: str) -> str:
        return await open_session(self.logins[name])

    async def sign_in(self, name: str) -> dict[str, str]:
        """An Authorization header with a new session of this person."""
        return {"Authorization": f"Bearer {await self.token(name)}"}

    async def scope(self, name: str, community_id: UUID | None = None) -> Scope:
        """The scope of a new session of this person, at home or in the community that they address."""
        caller = await sessions.find_session(await self.token(name), community_id)
        assert caller is not None
        if community_id is not None and caller.addressed is None:
            raise NotFound
        return Scope(
            community_id=community_id or self.home[name],
            addressed=caller.addressed,
            persons=caller.persons,
            grants=caller.grants,
            login_id=caller.login_id,
            session_id=caller.session_id,
        )

    async def give_points(self, name: str, points: int, *, expires_on: date | None = None) -> None:
        """Issue points to a person, as a deed would."""
        self._given += 1
        scope = Scope.of_system(self.home[name])
        note = Posting(
            kind="deed",
            key=f"given:{name}:{self._given}:{clock.new_id()}",
            source_kind="test",
            source_id=clock.new_id(),
            memo="测试发放",
        )
        last_day = expires_on or date(clock.local_day().year + 1, 12, 31)
        async with transaction(scope):
            await posting.issue(scope, self.people[name], Currency.point, points, note, expires_on=last_day)

    async def credit_deed(self, name: str, points: int, *, expires_on: date | None = None) -> UUID:
        """Issue points for a deed that is inserted too, so that the ledger check passes; return the deed's id."""
        community, deed = self.home[name], clock.new_id()
        scope, last_day = Scope.of_system(community), expires_on or date(clock.local_day().year + 1, 12, 31)
        note = Posting(
            kind="deed",
            key=f"deed:{deed}:credit",
            source_kind="deed",
            source_id=deed,
            memo="测试发放",
            occurred_at=None,
            rule_code="mediation",
            rule_version=1,
        )
        async with transaction(scope):
            posted = await posting.issue(scope, self.people[name], Currency.point, points, note, expires_on=last_day)
            await database.execute(
                "INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, "
                "points_reason, occurred_on, note, status, entry_id, created_at) SELECT $1, $2, $3, h.area_id, "
                "'mediation', 1, $4, '测试发放', $5, '测试发放', 'credited', $6, $7 FROM person p JOIN household h "
                "ON h.community_id = p.community_id AND h.id = p.household_id WHERE p.community_id = $1 AND p.id = $3",
                community, deed, self.people[name], points, clock.local_day(), posted.entry_id, clock.now(),
            )  # fmt: skip
        return deed


async def open_session(login_id: UUID, *, by_code: bool = False) -> str:
    """Open a session of a login without its password, as only the operator can; return the token."""
    token, now = vault.token(), clock.now()
    connection = await asyncpg.connect(Town.operator_url)
    await _insert(
        connection, "session", id=clock.new_id(), token_hash=vault.token_hash(token), login_id=login_id,
        by_code=by_code, created_at=now, expires_at=_long_after(now),
    )  # fmt: skip
    await connection.close()
    return token


@asynccontextmanager
async def operating() -> AsyncIterator[None]:
    """Connect the pool as the operator for the block, for what only the operator's commands may do."""
    served = engine.pool, engine.aside, engine.readers, engine.config, engine.door
    await database.create_pool(Town.operator_url, 4)
    try:
        yield
    finally:
        await database.close_pool()
        engine.pool, engine.aside, engine.readers, engine.config, engine.door = served


def _long_after(now: datetime) -> datetime:
    """An expiry 30 days after the later of the tests' clock and the real time, which may be years apart."""
    return max(now, datetime.now(UTC)) + timedelta(days=30)


async def signed_in(owner: asyncpg.Connection, mine: ResidentRecord) -> Scope:
    """Insert a login, a membership and a session for a person who has only a row; return their scope."""
    login, session, now = clock.new_id(), clock.new_id(), clock.now()
    await _insert(owner, "login", id=login, phone_index=login.bytes, phone_sealed=b"", created_at=now)
    link = {"community_id": mine.community_id, "login_id": login, "person_id": mine.person_id}
    await _insert(owner, "membership", **link, created_at=now)
    await _insert(
        owner, "session", id=session, token_hash=session.bytes, login_id=login, by_code=False, created_at=now,
        expires_at=_long_after(now),
    )  # fmt: skip
    return Scope(community_id=mine.community_id, persons=(mine,), login_id=login, session_id=session)


async def set_password(login_id: UUID, phone: str, password: str) -> None:
    """Set a login's password without a session, as only the operator can."""
    async with operating():
        await logins.set_password(login_id, phone, password)


async def store_password(login_id: UUID, password: str) -> None:
    """Store a password without checking its strength, as if it had been set before that check existed."""
    async with operating():
        await logins.store_password(login_id, password)


async def build_town(owner: asyncpg.Connection) -> Town:
    async with owner.transaction():
        town = await _places(owner)
        await _people(owner, town)
        await _stations(owner, town)
        await _roles(owner, town)
        await _shop_and_class(owner, town)
    return town


async def _insert(owner: asyncpg.Connection, table: str, **values: object) -> None:
    columns = ", ".join(values)
    placed = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await owner.execute(f"INSERT INTO {table} ({columns}) VALUES ({placed})", *values.values())


async def _places(owner: asyncpg.Connection) -> Town:
    county, street, now = clock.new_id(), clock.new_id(), clock.now()
    town = Town(county=county, street=street, communities={PHOENIX: clock.new_id(), SPRING: clock.new_id()})
    regions: list[tuple[UUID, UUID | None, str, str, list[UUID]]] = [
        (county, None, "county", "清江县", [county]),
        (street, county, "street", "城关街道", [county, street]),
        *((c, street, "community", name, [county, street, c]) for name, c in town.communities.items()),
    ]
    for id_, parent, kind, name, path in regions:
        await _insert(
            owner,
            "region",
            id=id_,
            parent_id=parent,
            kind=kind,
            name=name,
            pinyin=names.pinyin(name),
            path=path,
            created_at=now,
        )
    for community, name, parent_name in _areas():
        id_ = clock.new_id()
        parent = town.areas.get(f"{community}/{parent_name}") if parent_name else None
        path = [*(await _path(owner, parent)), id_]
        kind = ("grid", "building", "unit")[name.count("/")]
        await _insert(
            owner, "area", community_id=town.communities[community], id=id_, parent_id=parent, kind=kind,
            name=name.rsplit("/", 1)[-1], pinyin=names.pinyin(name), path=path, created_at=now,
        )  # fmt: skip
        town.areas[f"{community}/{name}"] = id_
    return town


def _areas() -> Iterator[tuple[str, str, str]]:
    """Each grid, building and unit of both communities, as (community, path of names, parent's path)."""
    for community, buildings in ((PHOENIX, ("3栋", "5栋")), (SPRING, ("1栋",))):
        yield community, "第一网格", ""
        for building in buildings:
            yield community, f"第一网格/{building}", "第一网格"
            for unit in ("1单元", "2单元"):
                yield community, f"第一网格/{building}/{unit}", f"第一网格/{building}"


async def _path(owner: asyncpg.Connection, area: UUID | None) -> list[UUID]:
    return await owner.fetchval("SELECT path FROM area WHERE id = $1", area) if area else []


async def _people(owner: asyncpg.Connection, town: Town) -> None:
    now = clock.now()
    households: dict[tuple[str, ...], UUID] = {}
    for number, (name, community, building, unit, room, born) in enumerate(PEOPLE):
        c, place = town.communities[community], (community, building, unit, room)
        if place not in households:
            households[place] = clock.new_id()
            await _insert(
                owner, "household", community_id=c, id=households[place],
                area_id=town.areas[f"{community}/第一网格/{building}/{unit}"], room=room, head_name=name,
                created_at=now,
            )  # fmt: skip
        id_, phone, child = clock.new_id(), f"1990000{number:04}", born > date(2010, 1, 1)
        await _insert(
            owner, "person", community_id=c, id=id_, household_id=households[place], name=name,
            name_key=names.key(name), pinyin=names.pinyin(name), spelled=names.spelled(name),
            initials=names.initials(name)[0], initials_other=names.initials(name)[1],
            sex="女" if number % 2 else "男", born_on=born, relation=None,
            phone_sealed=None if child else vault.seal(phone, "phone"),
            phone_index=None if child else vault.blind_index(phone, "phone"), phone_last4=None if child else phone[-4:],
            publishes_name=False, status="active", code_epoch=1, created_at=now,
        )  # fmt: skip
        town.people[name], town.home[name], town.households[name], town.phones[name] = id_, c, households[place], phone
        if not child:
            town.logins[name] = clock.new_id()
            await _insert(
                owner, "login", id=town.logins[name], phone_index=vault.blind_index(phone, "phone"),
                phone_sealed=vault.seal(phone, "phone"), created_at=now,
            )  # fmt: skip
            await _insert(
                owner, "membership", community_id=c, login_id=town.logins[name], person_id=id_, created_at=now
            )
    await _insert(
        owner, "guardianship", community_id=town.community, id=clock.new_id(), guardian_id=town.people["刘洋"],
        child_id=town.people["刘小雨"], relation="母亲", consented_at=now,
    )  # fmt: skip


async def _stations(owner: asyncpg.Connection, town: Town) -> None:
    for name, community in (("暖蜂驿站", PHOENIX), ("慈善超市", PHOENIX), ("龙泉驿站", SPRING)):
        town.stations[name] = clock.new_id()
        await _insert(
            owner, "station", community_id=town.communities[community], id=town.stations[name], name=name,
            pinyin=names.pinyin(name), address="中心路 1 号", opens_at=time(0, 0), closes_at=time(23, 59), code_epoch=1,
            active=True, created_at=clock.now(),
        )  # fmt: skip
    for name, community, needs in (
        ("站点值守", PHOENIX, False),
        ("四点半辅导", PHOENIX, True),
        ("站点值守", SPRING, False),
    ):
        key = name if community == PHOENIX else f"{community}/{name}"
        town.activities[key] = clock.new_id()
        await _insert(
            owner, "activity", community_id=town.communities[community], id=town.activities[key], name=name,
            pinyin=names.pinyin(name), description="", station_id=None, rule_code="service", needs_sign_up=needs,
            active=True, created_at=clock.now(),
        )  # fmt: skip
    for c in town.communities.values():
        since = datetime(2025, 1, 1, tzinfo=UTC)
        await _insert(
            owner, "rule", community_id=c, code="service", version=1, kind="service", name="志愿服务",
            minutes_per_point=6, active=True, valid_from=since,
        )  # fmt: skip
        for code, name, points, unit, period, per_person in (
            ("mediation", "调解邻里纠纷", 10, "每件", "week", 3),
            ("patrol", "楼道卫生巡查", 2, "每周一次", "week", 1),
        ):
            await _insert(
                owner, "rule", community_id=c, code=code, version=1, kind="deed", name=name, points=points, unit=unit,
                cap_period=period, cap_per_person=per_person, cap_per_area=5, active=True, valid_from=since,
            )  # fmt: skip


async def _roles(owner: asyncpg.Connection, town: Town) -> None:
    building, unit = town.areas[f"{PHOENIX}/第一网格/3栋"], town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    held: list[tuple[str, Role, dict[str, UUID]]] = [
        ("王建国", Role.building_head, {"area_id": building}),
        ("李秀英", Role.unit_head, {"area_id": unit}),
        ("陈明", Role.grid_worker, {"area_id": town.areas[f"{PHOENIX}/第一网格"]}),
        ("周敏", Role.station_keeper, {"station_id": town.stations["暖蜂驿站"]}),
        ("赵丽", Role.community_admin, {"region_id": town.community}),
        ("孙伟", Role.auditor, {"region_id": town.community}),
        ("钱进", Role.street_admin, {"region_id": town.street}),
        ("吴昊", Role.county_admin, {"region_id": town.county}),
        ("何静", Role.community_admin, {"region_id": town.communities[SPRING]}),
    ]
    for name, role, place in held:
        await _insert(
            owner, "role_grant", community_id=town.home[name], id=clock.new_id(), person_id=town.people[name],
            role=role.value, starts_on=date(2025, 1, 1), granted_at=clock.now(), **place,
        )  # fmt: skip


async def _shop_and_class(owner: asyncpg.Connection, town: Town) -> None:
    now = clock.now()
    for name, unit, points, limit, quantity in (
        ("食用油 5L", "桶", 120, 1, 5),
        ("香皂", "块", 8, 3, 50),
        ("抽纸", "提", 30, None, 1),
    ):
        town.goods[name] = clock.new_id()
        await _insert(
            owner, "good", community_id=town.community, id=town.goods[name], name=name, pinyin=names.pinyin(name),
            unit=unit, points=points, monthly_limit=limit, active=True, created_at=now,
        )  # fmt: skip
        await _insert(
            owner, "good_price", community_id=town.community, good_id=town.goods[name], points=points, since=now
        )
        place = {"community_id": town.community, "station_id": town.stations["暖蜂驿站"], "good_id": town.goods[name]}
        await _insert(owner, "stock", **place, quantity=quantity)
        await _insert(owner, "stock_move", **place, id=clock.new_id(), change=quantity, reason="received", moved_at=now)
    town.course = clock.new_id()
    today = clock.local_day()
    await _insert(
        owner, "course", community_id=town.community, id=town.course, title="少儿书法", pinyin=names.pinyin("少儿书法"),
        age_min=6, age_max=14, starts_on=today - timedelta(days=30), ends_on=today + timedelta(days=90),
        points_per_hour=20, teacher="林老师", station_id=town.stations["暖蜂驿站"], active=True, created_at=now,
    )  # fmt: skip
    for days in (2, 9):
        lesson, starts_at = clock.new_id(), clock.at_local(today + timedelta(days=days), time(16, 30))
        await _insert(
            owner, "lesson", community_id=town.community, id=lesson, course_id=town.course, starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=60), minutes=60, seats=1, seats_taken=0,
        )  # fmt: skip
        town.lessons.append(lesson)
