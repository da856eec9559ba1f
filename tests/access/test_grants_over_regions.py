"""A role over a street or county reaches every community below it, and a request carries it as one grant."""

import asyncio
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser, cookies
from tests.security.thief import refused, steal
from tests.support.counter import tablet
from tests.support.presence import body, nine_o_clock, personal_code
from tests.support.town import PHOENIX, SPRING, Town, set_password
from timebank.access.sign_in import sessions
from timebank.areas.reach import communities_in_reach, regions_beyond, require_region, within_reach
from timebank.core import clock, vault
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import ADMINS, Grant, Role, Scope
from timebank.presence.scanning import verdict_of

MANY = 298
STATIONS = "/api/v1/stations"
PASSWORD = "静水流深-2026"


async def found_communities(owner: asyncpg.Connection, county: UUID, street: UUID, count: int = MANY) -> list[UUID]:
    """Add so many communities to a street; return their ids."""
    rows = await owner.fetch(
        "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
        "SELECT id, $2, 'community', '第' || n || '社区', 'di' || n, ARRAY[$1, $2, id], now() "
        "FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, $3::integer) AS n) AS made RETURNING id",
        county, street, count,
    )  # fmt: skip
    return [UUID(bytes=row["id"].bytes) for row in rows]


async def found_region(owner: asyncpg.Connection, kind: str, name: str, *above: UUID) -> UUID:
    region_id = clock.new_id()
    await owner.execute(
        "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
        "VALUES ($1, $2, $3, $4, '', $5, now())",
        region_id, above[-1] if above else None, kind, name, [*above, region_id],
    )  # fmt: skip
    return region_id


async def found_street(owner: asyncpg.Connection, county: UUID | None, name: str, communities: int = 1) -> list[UUID]:
    """Add a street with communities to a county, or to a county of its own; return the county, street and the rest."""
    county = county or await found_region(owner, "county", f"{name}县")
    street = await found_region(owner, "street", f"{name}街道", county)
    return [county, street, *await found_communities(owner, county, street, communities)]


async def appoint(owner: asyncpg.Connection, town: Town, name: str, role: Role, region_id: UUID) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, now())",
        town.home[name], clock.new_id(), town.people[name], role.value, region_id, date(2025, 1, 1),
    )  # fmt: skip


async def join_records(owner: asyncpg.Connection, town: Town, holder: str, other: str) -> None:
    """Let the login of one person stand for the record of another one too."""
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.home[other], town.logins[holder], town.people[other], clock.now(),
    )  # fmt: skip


def addressing(headers: dict[str, str], community_id: object) -> dict[str, str]:
    return headers | {"X-Community-Id": str(community_id)}


# ------------------------------------------------------------------------------------------ what a request carries


async def test_a_county_administrator_of_300_communities_carries_one_grant_and_addresses_each_of_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    every = [*await found_communities(owner, town.county, town.street), *town.communities.values()]
    token = await town.token("吴昊")
    callers = await asyncio.gather(*(sessions.find_session(token, each) for each in every))
    for community_id, caller in zip(every, callers, strict=True):
        assert caller is not None
        assert caller.grants == {Grant(role=Role.county_admin, region_id=town.county)}
        assert caller.addressed is not None
        assert (caller.addressed.id, caller.addressed.path) == (community_id, (town.county, town.street, community_id))
    headers = {"Authorization": f"Bearer {token}"}
    for community_id in every[::60]:
        for there, params in ((addressing(headers, community_id), {}), (headers, {"community_id": str(community_id)})):
            assert (await client.get(STATIONS, headers=there, params=params)).status_code == 200
        made = await client.post(
            "/api/v1/areas", headers=addressing(headers, community_id), json={"kind": "grid", "name": "新网格"}
        )
        assert (made.status_code, made.json()["community_id"]) == (201, str(community_id))


async def test_what_a_request_carries_does_not_grow_with_the_communities(town: Town, owner: asyncpg.Connection) -> None:
    async def carried(name: str) -> tuple[int, int]:
        """How long the answers are to a session at home and to one that addresses 龙泉社区."""
        hashes, now = [vault.token_hash(await town.token(name))], clock.now()
        alone, beside = [
            await owner.fetchval(
                "SELECT length((persons, grants, addressed)::text) FROM access_sessions($1, $2, $3, $4)",
                hashes, [addressed], now, clock.local_day(),
            )
            for addressed in (None, town.communities[SPRING])
        ]  # fmt: skip
        return alone, beside

    holders = ("吴昊", "钱进", "赵丽", "张桂兰")
    few = [await carried(name) for name in holders]
    await found_communities(owner, town.county, town.street)
    assert [await carried(name) for name in holders] == few
    assert max(max(lengths) for lengths in few) < 1_200


async def test_requests_that_wait_together_each_get_their_own_community(town: Town, owner: asyncpg.Connection) -> None:
    """Sessions are looked up in batches: the same one with several communities, and others beside it."""
    [*_, foreign] = await found_street(owner, None, "邻")
    county, resident = await town.token("吴昊"), await town.token("张桂兰")
    here, there = town.communities.values()
    asked = [
        (county, here), (county, there), (county, foreign), (county, None), (resident, there), (resident, here),
        ("没有的会话", here), (county, town.street), (county, there),
    ]  # fmt: skip
    found = await asyncio.gather(*(sessions.find_session(*each) for each in asked))
    seen = [caller.addressed.id if caller and caller.addressed else None for caller in found]
    assert seen == [here, there, None, None, None, here, None, None, there]
    assert [caller is None for caller in found] == [False] * 6 + [True] + [False] * 2


# --------------------------------------------------------------------------------------------- who reaches what


async def test_another_countys_community_a_street_and_nonsense_are_not_found(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    county, street, foreign = await found_street(owner, None, "邻")
    for name in ("吴昊", "钱进", "赵丽"):
        headers = await town.sign_in(name)
        for target in (foreign, county, street, town.county, town.street, clock.new_id(), "longquan"):
            assert (await client.get(STATIONS, headers=addressing(headers, target))).status_code == 404
            by_query = await client.get(STATIONS, headers=headers, params={"community_id": str(target)})
            assert (by_query.status_code, by_query.json()["code"]) == (404, "not_found")
    for target in (foreign, "longquan"):
        assert (await client.get(STATIONS, headers={"X-Community-Id": str(target)})).status_code == 401


async def test_a_chosen_community_out_of_reach_is_ignored(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    [*_, foreign] = await found_street(owner, None, "邻")
    [new] = await found_communities(owner, town.county, town.street, 1)
    headers, csrf = await browser(town, "钱进")
    for target, kept in ((foreign, False), (town.street, False), ("longquan", False), (new, True)):
        chosen = await client.post("/preferences", headers=headers, data={"_csrf": csrf, "community": str(target)})
        assert [morsel.value for morsel in cookies(chosen).values()] == ([str(target)] if kept else [])
        by_cookie = {"Cookie": f"{headers['Cookie']}; timebank_community={target}"}
        page = (await client.get("/admin", headers=by_cookie)).text
        assert f"<span>{'第1社区' if kept else PHOENIX}</span></a>" in page
        assert "您管的社区" in page
        assert "第1社区" in page


async def test_a_community_administrator_gains_nothing_by_naming_another_community(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, serving: asyncpg.Connection
) -> None:
    headers, spring = await town.sign_in("赵丽"), town.communities[SPRING]
    calls = [
        ("GET", "/api/v1/people", None),
        ("POST", "/api/v1/areas", {"kind": "grid", "name": "新网格"}),
        ("POST", "/api/v1/roles", {"person_id": str(town.people["马涛"]), "role": "community_admin",
                                   "region_id": str(spring)}),
    ]  # fmt: skip
    for method, path, sent in calls:
        for there, params in ((addressing(headers, spring), {}), (headers, {"community_id": str(spring)})):
            refusal = await client.request(method, path, headers=there, params=params, json=sent)
            assert (refusal.status_code, refusal.json()["code"]) == (404, "not_found")
    page, csrf = await browser(town, "赵丽")
    page["Cookie"] += f"; timebank_community={spring}"
    form = {"_csrf": csrf, "kind": "grid", "name": "新网格", "parent_id": ""}
    await client.post("/admin/areas", headers=page, data=form)
    assert await owner.fetchval("SELECT count(*) FROM area WHERE community_id = $1 AND name = '新网格'", spring) == 0
    session_id = (await town.scope("赵丽")).session_id
    await steal(serving, spring, session=session_id)
    assert not await serving.fetchval("SELECT may_administer($1)", spring)
    await refused(
        serving,
        "INSERT INTO role_grant (community_id, id, person_id, role, region_id, starts_on, granted_at, granted_by) "
        "VALUES ($1, $2, $3, 'community_admin', $1, now(), now(), $4)",
        spring, clock.new_id(), town.people["马涛"], town.people["赵丽"],
    )  # fmt: skip


async def test_a_street_administrator_reaches_a_community_that_is_added_after_the_sign_in(
    town: Town, client: httpx.AsyncClient
) -> None:
    street = await town.sign_in("钱进")
    community = {"kind": "community", "name": "锦绣社区", "parent_id": str(town.street)}
    added = (await client.post("/api/v1/areas", headers=await town.sign_in("吴昊"), json=community)).json()["id"]
    grid = {"kind": "grid", "name": "第一网格"}
    made = await client.post("/api/v1/areas", headers=addressing(street, added), json=grid)
    assert (made.status_code, made.json()["community_id"]) == (201, added)
    listed = (await client.get("/api/v1/areas", headers=street)).json()["items"]
    assert "锦绣社区" in [place["name"] for place in listed]


async def test_a_community_that_moves_to_another_street_and_a_grant_that_ended_are_out_of_reach_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    _, other_street, _ = await found_street(owner, town.county, "新")
    spring, headers = town.communities[SPRING], await town.sign_in("钱进")
    county = await town.sign_in("吴昊")
    assert (await client.get(STATIONS, headers=addressing(headers, spring))).status_code == 200
    await owner.execute(
        "UPDATE region SET parent_id = $2, path = ARRAY[$3, $2, id] WHERE id = $1", spring, other_street, town.county
    )
    assert (await client.get(STATIONS, headers=addressing(headers, spring))).status_code == 404
    assert (await client.get(STATIONS, headers=addressing(county, spring))).status_code == 200
    await owner.execute(
        "UPDATE region SET parent_id = $2, path = ARRAY[$3, $2, id] WHERE id = $1", spring, town.street, town.county
    )
    assert (await client.get(STATIONS, headers=addressing(headers, spring))).status_code == 200
    for ending in (
        "ended_at = now()",
        "ended_at = NULL, ends_on = '2025-02-01'",
        "ends_on = NULL, starts_on = '2200-01-01'",
    ):
        await owner.execute(f"UPDATE role_grant SET {ending} WHERE role = 'street_admin'")
        assert (await client.get(STATIONS, headers=addressing(headers, spring))).status_code == 404
        refusal = await client.post("/api/v1/areas", headers=headers, json={"kind": "grid", "name": "第九网格"})
        assert refusal.status_code == 403


async def test_a_session_by_a_code_reaches_no_further_than_the_code(town: Town, owner: asyncpg.Connection) -> None:
    """钱进's record in 凤凰社区 carries the street; a code for his record in 龙泉社区 alone opens no street."""
    await join_records(owner, town, "钱进", "马涛")
    token = await town.token("钱进")
    await owner.execute(
        "UPDATE session SET opens = $2 WHERE token_hash = $1", vault.token_hash(token), [town.communities[SPRING]]
    )
    caller = await sessions.find_session(token, town.community)
    assert caller is not None
    assert (caller.grants, caller.addressed) == (frozenset(), None)
    there = await sessions.find_session(token, town.communities[SPRING])
    assert there is not None
    assert there.addressed is not None


# --------------------------------------------------------------------- the answers are those of a grant per community


async def communities_of(owner: asyncpg.Connection, grants: Iterable[Grant]) -> dict[UUID, set[Role]]:
    """The roles in each community if every grant over a region were one grant in each community below it."""
    rows = await owner.fetch("SELECT id, path FROM region WHERE kind = 'community'")
    held: dict[UUID, set[Role]] = {}
    for row in rows:
        path = [UUID(bytes=step.bytes) for step in row["path"]]
        for grant in grants:
            if grant.community_id == path[-1] or grant.region_id in path:
                held.setdefault(path[-1], set()).add(grant.role)
    return held


@pytest.mark.parametrize("case", ["one street", "records in two streets", "a further community", "an empty street"])
async def test_the_caller_sees_the_roles_as_if_each_community_had_its_own_grant(
    case: str, town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Of several records the first one also lists what is held where the login has no record."""
    county, street, *_ = await found_street(owner, town.county, "新", 0)
    if case != "one street":
        await join_records(owner, town, "张桂兰", "马涛")
        await appoint(owner, town, "马涛", Role.street_admin, street)
        await appoint(owner, town, "马涛", Role.auditor, town.county)
    if case != "an empty street":
        await owner.execute(
            "UPDATE region SET parent_id = $2, path = ARRAY[$3, $2, id] WHERE id = $1",
            town.communities[SPRING], street, county,
        )  # fmt: skip
    if case == "a further community":
        await found_communities(owner, county, street, 1)
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    signed_in = await client.post("/api/v1/sessions", json={"phone": town.phones["张桂兰"], "password": PASSWORD})
    persons = signed_in.json()["persons"]
    headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}
    assert (await client.get("/api/v1/me", headers=headers)).json()["persons"] == persons
    caller = await sessions.find_session(signed_in.json()["token"])
    assert caller is not None
    held = await communities_of(owner, caller.grants)
    homes = {p.community_id for p in caller.persons}
    elsewhere = set[Role]().union(*(roles for community, roles in held.items() if community not in homes))
    for number, person in enumerate(persons):
        expected = held.get(UUID(person["community_id"]), set()) | (set() if number else elsewhere)
        assert person["roles"] == sorted(role.value for role in expected)


async def test_a_region_is_administered_forbidden_or_not_found_as_by_a_grant_in_each_community(
    town: Town, owner: asyncpg.Connection
) -> None:
    _, street, inside = await found_street(owner, town.county, "新")
    await found_street(owner, None, "邻")
    await found_street(owner, town.county, "空", 0)
    await appoint(owner, town, "李秀英", Role.auditor, street)
    await appoint(owner, town, "王建国", Role.community_admin, inside)
    rows = await owner.fetch("SELECT id, path FROM region")
    paths = {UUID(bytes=row["id"].bytes): [UUID(bytes=step.bytes) for step in row["path"]] for row in rows}
    level = {Role.county_admin: 0, Role.street_admin: 1, Role.community_admin: 2}
    for name in ("赵丽", "孙伟", "钱进", "吴昊", "何静", "张桂兰", "李秀英", "王建国"):
        scope = await town.scope(name)
        held = await communities_of(owner, scope.grants)
        reached = {*held, *scope.home_ids}
        whole = {paths[c][level[role]] for c, roles in held.items() for role in roles & ADMINS}
        above = {step for c in reached for step in paths[c]}
        assert await communities_in_reach(scope) == reached
        for region_id, path in paths.items():
            expected = None if whole & {*path} else Forbidden if region_id in above else NotFound
            assert await outcome(scope, region_id) is expected, (name, path)


async def outcome(scope: Scope, region_id: UUID) -> type[Exception] | None:
    try:
        await require_region(scope, region_id)
    except (Forbidden, NotFound) as refusal:
        return type(refusal)
    return None


async def test_a_street_has_a_community_besides_the_own_ones_or_not(town: Town, owner: asyncpg.Connection) -> None:
    county, street, only = await found_street(owner, town.county, "新")
    _, empty = await found_street(owner, town.county, "空", 0)
    asked = [street, empty, county]
    assert await regions_beyond(asked, [only]) == {county}
    assert await regions_beyond(asked, []) == {county, street}
    assert await regions_beyond([], [only]) == frozenset()


# ----------------------------------------------------------------------------------------- verbs across communities


async def test_a_street_administrator_at_home_scans_a_code_of_another_community_and_hears_its_verdict_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers = await town.sign_in("钱进")
    with clock.at(nine_o_clock()):
        sent = body(personal_code(town, "马涛"), station_id=str(town.stations["龙泉驿站"]))
        came = (await client.post("/api/v1/checkins", headers=headers, json=sent)).json()
        again = (await client.post("/api/v1/checkins", headers=headers, json=sent)).json()
        heard = await verdict_of(await town.scope("钱进"), str(sent["nonce"]))
    assert (came["status"], again["replayed"]) == ("ok", True)
    assert await owner.fetchval("SELECT community_id FROM scan") == town.communities[SPRING]
    assert heard.person is not None
    assert heard.person.name == "马涛"
    with pytest.raises(NotFound):
        await verdict_of(await town.scope("赵丽"), str(sent["nonce"]))


async def test_a_street_administrator_signs_on_at_a_counter_of_the_own_community_alone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper is the actor there, so somebody without a record in the community cannot be one."""
    for name in ("钱进", "何静"):
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    at_home, elsewhere = await tablet(client, town), await tablet(client, town, "何静", "龙泉驿站")
    assert (await at_home.sign_on(town, "钱进", password=PASSWORD)).json()["name"] == "钱进"
    assert (await elsewhere.sign_on(town, "钱进", 403, PASSWORD)).json()["code"] == "not_keeper_here"
    assert (await at_home.sign_on(town, "何静", 403, PASSWORD)).json()["code"] == "not_keeper_here"
    await owner.execute("UPDATE role_grant SET ended_at = now() WHERE role = 'street_admin'")
    assert (await at_home.ask("GET", "/counter/sign-on")).json() is None
    assert (await at_home.sign_on(town, "钱进", 403, PASSWORD)).json()["code"] == "not_keeper_here"


async def test_the_same_caller_in_another_community(town: Town, owner: asyncpg.Connection) -> None:
    [*_, foreign] = await found_street(owner, None, "邻")
    street = await town.scope("钱进")
    there = await within_reach(street, town.communities[SPRING])
    assert (there.administers, there.community_name, there.person) == (True, SPRING, None)
    assert there.within(town.community) == await within_reach(there, town.community)
    assert there.within(town.community).administers
    assert there.within(town.community).within(town.communities[SPRING]) == there
    resident = await town.scope("张桂兰")
    for scope, target in ((street, foreign), (street, town.street), (resident, town.communities[SPRING])):
        with pytest.raises(NotFound):
            await within_reach(scope, target)
    with pytest.raises(NotFound):
        street.within(town.communities[SPRING])


async def test_a_community_is_found_by_a_region_above_it_without_reading_every_region(
    town: Town, owner: asyncpg.Connection
) -> None:
    for number in range(20):
        await found_street(owner, None, f"远{number}", 400)
    await owner.execute("ANALYZE region")
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE timebank_app")
        plan = await owner.fetch(
            "EXPLAIN SELECT id FROM region WHERE kind = 'community' AND path && $1::uuid[]", [town.street]
        )
    assert "region_path" in "\n".join(row[0] for row in plan)
