"""Entering and finding people, and the visibility of their data."""

from datetime import date

import asyncpg
import httpx
import pytest

from tests.support.town import PHOENIX, SPRING, Town
from timebank.access.registration import register
from timebank.core.errors import Forbidden, NotFound
from timebank.ledger.refusals import AccountClosed
from timebank.people.directory import list_people, named_at_counter, names_of, open_person
from timebank.people.enrolment.enrolling import enrol_many
from timebank.people.enrolment.undo import undo_enrolments
from timebank.people.identity.citizen_number import check_character
from timebank.people.identity.phones import masked_phone
from timebank.people.records import correct
from timebank.people.schemas import Correction, Enrolment

PEOPLE = "/api/v1/people"
NUMBER = "52269919820713313X"


def identity(first_seventeen: str) -> str:
    return first_seventeen + check_character(first_seventeen)


async def test_somebody_who_is_entered_with_a_phone_signs_in_with_the_counters_code(
    town: Town, client: httpx.AsyncClient
) -> None:
    body = {
        "name": "覃 慧敏", "identity": "52269919820713313x", "phone": "１９９ 0000 9001",
        "area_id": str(town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]), "room": "701",
    }  # fmt: skip
    made = await client.post(PEOPLE, headers=await town.sign_in("赵丽"), json=body)
    assert made.status_code == 201
    person = made.json()
    assert (person["name"], person["born_on"], person["sex"]) == ("覃慧敏", "1982-07-13", "男")
    assert (person["area"], person["room"], person["head_name"]) == ("5栋1单元", "701", "覃慧敏")
    assert person["identity"] == "5226**********313X"
    address = f"{PEOPLE}/{person['id']}/sign-in-code"
    known = {"name": "覃慧敏", "last4": "9001"}
    code = (await client.post(address, headers=await town.sign_in("周敏"), json=known)).json()["code"]
    opened = await client.post("/api/v1/sessions", json={"phone": "19900009001", "otp": code})
    assert opened.status_code == 201
    assert opened.json()["persons"][0]["person_id"] == person["id"]


async def test_phone_and_identity_number_are_sealed_at_rest(town: Town, owner: asyncpg.Connection) -> None:
    made = await register(await town.scope("赵丽"), Enrolment(name="覃慧敏", identity=NUMBER, phone="19900009001"))
    row = await owner.fetchrow("SELECT * FROM person WHERE id = $1", made.id)
    assert row is not None
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert b"19900009001" not in stored
    assert NUMBER.encode() not in stored
    written = await owner.fetchval("SELECT string_agg(change::text, ' ') FROM audit")
    assert "19900009001" not in written
    assert "覃慧敏" not in written


async def test_nobody_is_entered_twice(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("赵丽")
    body = {"name": "覃慧敏", "identity": NUMBER}
    assert (await client.post(PEOPLE, headers=headers, json=body)).status_code == 201
    again = await client.post(PEOPLE, headers=headers, json=body | {"name": "秦慧敏"})
    assert (again.status_code, again.json()["code"]) == (409, "person_known")
    same_phone = await client.post(PEOPLE, headers=headers, json={"name": "张桂兰", "phone": town.phones["张桂兰"]})
    assert same_phone.status_code == 409
    family = await client.post(PEOPLE, headers=headers, json={"name": "张小梅", "phone": town.phones["张桂兰"]})
    assert family.status_code == 201


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"name": "甲", "phone": "12345"}, "bad_phone"),
        ({"name": "甲", "identity": "522699198207133130"}, "bad_identity"),
        ({"name": "甲", "identity": "5.22699E+17"}, "bad_identity"),
        ({"name": "甲", "identity": NUMBER, "born_on": "1990-01-01"}, "bad_identity"),
        ({"name": "甲", "identity": NUMBER, "sex": "女"}, "bad_identity"),
        ({"name": "甲", "born_on": "2190-01-01"}, "bad_birth"),
        ({"name": "甲", "born_on": "1790-01-01"}, "bad_birth"),
        ({"name": "\u200b"}, "nameless_person"),
        ({"name": "甲", "area_id": "01890000-0000-7000-8000-000000000000"}, "not_found"),
    ],
)
async def test_an_entry_that_cannot_be_right_is_refused(
    town: Town, client: httpx.AsyncClient, bad: dict[str, str], code: str
) -> None:
    refused = await client.post(PEOPLE, headers=await town.sign_in("赵丽"), json=bad)
    assert refused.json()["code"] == code
    assert refused.status_code in (404, 422)


@pytest.mark.parametrize(
    "bad", [{}, {"name": ""}, {"name": "甲\x00"}, {"name": "长" * 61}, {"name": "甲", "sex": "X"}, {"name": 7}]
)
async def test_an_entry_of_the_wrong_shape_is_a_problem(
    town: Town, client: httpx.AsyncClient, bad: dict[str, object]
) -> None:
    refused = await client.post(PEOPLE, headers=await town.sign_in("赵丽"), json=bad)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_only_administrators_enter_people(town: Town, client: httpx.AsyncClient) -> None:
    body = {"name": "覃慧敏"}
    assert (await client.post(PEOPLE, json=body)).status_code == 401
    for name in ("张桂兰", "周敏", "王建国", "陈明", "孙伟"):
        assert (await client.post(PEOPLE, headers=await town.sign_in(name), json=body)).status_code == 403
    foreign = body | {"area_id": str(town.areas[f"{SPRING}/第一网格"])}
    assert (await client.post(PEOPLE, headers=await town.sign_in("赵丽"), json=foreign)).status_code == 404


async def test_a_household_is_its_room_and_its_head(town: Town) -> None:
    scope, unit = await town.scope("赵丽"), town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    sister = await register(scope, Enrolment(name="张桂芳", area_id=unit, room="101"))
    assert sister.household_id == town.households["张桂兰"]
    lodger = await register(scope, Enrolment(name="苗壮", area_id=unit, room="101", head_name="苗壮"))
    assert lodger.household_id != town.households["张桂兰"]
    upstairs = await register(scope, Enrolment(name="罗兰", area_id=unit, room="801", head_name="罗成"))
    assert upstairs.head_name == "罗成"


async def test_who_sees_what_in_a_list(town: Town, client: httpx.AsyncClient) -> None:
    async def listed(name: str) -> list[dict[str, str | None]]:
        found: list[dict[str, str | None]] = (await client.get(PEOPLE, headers=await town.sign_in(name))).json()[
            "items"
        ]
        return found

    admin = await listed("赵丽")
    assert [p["name"] for p in admin][:2] == ["陈明", "李秀英"]
    assert len(admin) == 13
    assert {p["phone"] for p in admin if p["name"] == "张桂兰"} == {masked_phone(town.phones["张桂兰"])}
    assert len(await listed("孙伟")) == 13
    assert len(await listed("陈明")) == 13
    building = await listed("王建国")
    assert {p["name"] for p in building} == {"张桂兰", "张国庆", "王建国", "李秀英", "欧阳凯伟"}
    assert {(p["phone"], p["room"]) for p in building} == {(None, None)}
    assert {p["area"] for p in building} == {"3栋1单元", "3栋2单元"}
    assert {p["name"] for p in await listed("李秀英")} == {"张桂兰", "张国庆", "李秀英"}
    for nobody in ("周敏", "张桂兰"):
        assert (await client.get(PEOPLE, headers=await town.sign_in(nobody))).status_code == 403
    assert (await client.get(PEOPLE)).status_code == 401


async def test_people_are_found_by_name_pinyin_or_a_whole_number(town: Town) -> None:
    scope = await town.scope("赵丽")
    await register(scope, Enrolment(name="覃慧敏", identity=NUMBER, phone="19900009001"))
    for q, expected in (
        ("张", {"张桂兰", "张国庆"}), ("zhanggui", {"张桂兰"}), ("Zhang Guo", {"张国庆"}), ("19900009001", {"覃慧敏"}),
        ("199 0000 9001", {"覃慧敏"}), (NUMBER.lower(), {"覃慧敏"}), ("0000900", set()), ("%", set()), ("没有", set()),
    ):  # fmt: skip
        assert {p.name for p in (await list_people(scope, q=q)).items} == expected, q
    assert [p.name for p in (await list_people(await town.scope("王建国"), q=town.phones["张桂兰"])).items] == []
    unit = town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    assert {p.name for p in (await list_people(scope, area_id=unit)).items} == {"张桂兰", "张国庆", "李秀英"}


async def test_pages_follow_each_other_without_gap(town: Town, client: httpx.AsyncClient) -> None:
    headers, seen, address = await town.sign_in("赵丽"), [], f"{PEOPLE}?limit=5"
    while address:
        answer = await client.get(address, headers=headers)
        seen += [p["id"] for p in answer.json()["items"]]
        address = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert len(seen) == len(set(seen)) == 13
    assert (await client.get(f"{PEOPLE}?limit=201", headers=headers)).status_code == 400
    assert (await client.get(f"{PEOPLE}?cursor=x", headers=headers)).status_code == 400


async def test_a_keeper_needs_the_whole_name_and_the_phones_last_four(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("周敏")
    right = {"name": "张桂兰", "phone_last4": town.phones["张桂兰"][-4:]}
    found = (await client.get(PEOPLE, headers=headers, params=right)).json()["items"]
    assert [(p["name"], p["area"], p["phone"]) for p in found] == [("张桂兰", "3栋1单元", None)]
    for wrong in (right | {"name": "张"}, right | {"phone_last4": "9999"}):
        assert (await client.get(PEOPLE, headers=headers, params=wrong)).json()["items"] == []
    assert (await client.get(PEOPLE, headers=headers, params=right | {"phone_last4": "12"})).status_code == 400
    assert (await client.get(PEOPLE, headers=await town.sign_in("张国庆"), params=right)).status_code == 403
    with pytest.raises(Forbidden):
        await named_at_counter(await town.scope("王建国"), **right)


async def test_a_keeper_cannot_try_all_last_fours(town: Town, client: httpx.AsyncClient) -> None:
    headers, params = await town.sign_in("周敏"), {"name": "张桂兰", "phone_last4": "9999"}
    answers = [(await client.get(PEOPLE, headers=headers, params=params)).status_code for _ in range(121)]
    assert answers[-2:] == [200, 429]


async def test_who_may_open_a_person(town: Town, client: httpx.AsyncClient) -> None:
    address = f"{PEOPLE}/{town.people['张桂兰']}"
    assert (await client.get(address)).status_code == 401
    for stranger in ("张国庆", "周敏", "何静", "欧阳凯伟"):
        assert (await client.get(address, headers=await town.sign_in(stranger))).status_code == 404
    own = (await client.get(address, headers=await town.sign_in("张桂兰"))).json()
    assert own["phone"] == town.phones["张桂兰"]
    assert (await client.get(address, headers=await town.sign_in("赵丽"))).json()["phone"] == town.phones["张桂兰"]
    for near in ("孙伟", "陈明"):
        shown = (await client.get(address, headers=await town.sign_in(near))).json()
        assert shown["phone"] == f"199****{town.phones['张桂兰'][-4:]}"
        assert shown["identity"] is None
    head = (await client.get(address, headers=await town.sign_in("王建国"))).json()
    assert (head["name"], head["area"]) == ("张桂兰", "3栋1单元")
    assert {head[field] for field in ("phone", "room", "born_on", "household_id")} == {None}


async def test_opening_from_above_and_opening_a_child_are_written_down(town: Town, owner: asyncpg.Connection) -> None:
    async def opened(by: str, whom: str) -> int:
        await open_person(await town.scope(by), town.people[whom])
        counted: int = await owner.fetchval(
            "SELECT count(*) FROM audit WHERE verb = 'open_person' AND person_id = $1 AND noun_id = $2",
            town.people[by], town.people[whom],
        )  # fmt: skip
        return counted

    assert await opened("钱进", "张桂兰") == 1
    assert await opened("吴昊", "张桂兰") == 1
    assert await opened("赵丽", "刘小雨") == 1
    assert await opened("刘洋", "刘小雨") == 0
    assert await opened("赵丽", "张桂兰") == 0


async def test_an_administrator_of_the_street_reaches_the_other_community_by_its_address(
    town: Town, client: httpx.AsyncClient
) -> None:
    spring = {"community_id": str(town.communities[SPRING])}
    found = await client.get(PEOPLE, headers=await town.sign_in("钱进"), params=spring)
    assert {p["name"] for p in found.json()["items"]} == {"何静", "马涛"}
    assert (await client.get(PEOPLE, headers=await town.sign_in("赵丽"), params=spring)).status_code == 404


async def test_a_correction_changes_what_was_wrong_and_a_new_phone_takes_the_login_along(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, address = await town.sign_in("赵丽"), f"{PEOPLE}/{town.people['张桂兰']}"
    grandmother = await town.sign_in("张桂兰")
    changed = await client.patch(
        address, headers=headers, json={"name": "张桂岚", "phone": "19900009002", "reason": "本人带证件来更正"}
    )
    assert (changed.status_code, changed.json()["name"], changed.json()["phone"]) == (200, "张桂岚", "19900009002")
    assert changed.json()["room"] == "101"
    assert (await client.get("/api/v1/me", headers=grandmother)).status_code == 401
    code = (await client.post(f"{address}/sign-in-code", headers=headers)).json()["code"]
    assert (
        await client.post("/api/v1/sessions", json={"phone": town.phones["张桂兰"], "otp": code})
    ).status_code == 401
    assert (await client.post("/api/v1/sessions", json={"phone": "19900009002", "otp": code})).status_code == 201
    moved = await client.patch(
        address, headers=headers, json={"area_id": str(town.areas[f"{PHOENIX}/第一网格/5栋/1单元"]), "room": "909"}
    )
    assert (moved.json()["area"], moved.json()["room"], moved.json()["head_name"]) == ("5栋1单元", "909", "张桂岚")
    gone = await client.patch(address, headers=headers, json={"phone": None})
    assert gone.json()["phone"] is None


async def test_nobody_corrects_who_is_not_theirs(town: Town, client: httpx.AsyncClient) -> None:
    address, body = f"{PEOPLE}/{town.people['张桂兰']}", {"name": "乱改"}
    assert (await client.patch(address, json=body)).status_code == 401
    for name, status in (("张桂兰", 403), ("张国庆", 404), ("周敏", 404), ("陈明", 404), ("孙伟", 403), ("何静", 404)):
        assert (await client.patch(address, headers=await town.sign_in(name), json=body)).status_code == status, name
    chosen = await client.patch(address, headers=await town.sign_in("张桂兰"), json={"publishes_name": True})
    assert (chosen.status_code, chosen.json()["publishes_name"]) == (200, True)


async def test_who_is_blocked_is_out_at_once_and_who_left_neither_earns_nor_spends(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, address = await town.sign_in("赵丽"), f"{PEOPLE}/{town.people['张桂兰']}"
    await town.give_points("张桂兰", 10)
    hers = await town.sign_in("张桂兰")
    blocked = await client.patch(address, headers=headers, json={"status": "blocked", "reason": "代人签到"})
    assert blocked.json()["status"] == "blocked"
    assert (await client.get("/api/v1/me", headers=hers)).status_code == 401
    await client.patch(address, headers=headers, json={"status": "active"})
    assert (await client.get("/api/v1/me", headers=hers)).status_code == 200
    await client.patch(address, headers=headers, json={"status": "left"})
    with pytest.raises(AccountClosed):
        await town.give_points("张桂兰", 10)
    await client.patch(address, headers=headers, json={"status": "active"})
    await town.give_points("张桂兰", 10)
    own = f"{PEOPLE}/{town.people['赵丽']}"
    assert (await client.patch(own, headers=headers, json={"status": "blocked"})).status_code == 403


async def test_a_roster_of_thousands_is_entered_and_a_second_time_changes_nothing(town: Town) -> None:
    scope = await town.scope("赵丽")
    units = [town.areas[f"{PHOENIX}/第一网格/{b}/{u}"] for b in ("3栋", "5栋") for u in ("1单元", "2单元")]
    roster = [
        Enrolment(
            name=f"居民{'甲乙丙丁'[n % 4]}{n:04}", identity=identity(f"522699{1940 + n % 70}0101{n % 1000:03}"),
            phone=f"1990001{n:04}", area_id=units[n % 4], room=f"{n // 12:03}", head_name=f"户主{n // 3}",
        )
        for n in range(2600)
    ]  # fmt: skip
    roster = list({e.identity: e for e in roster}.values())
    first = await enrol_many(scope, roster)
    assert all(answer.created for answer in first)
    second = await enrol_many(scope, roster)
    assert not any(answer.created for answer in second)
    assert [a.person_id for a in second] == [a.person_id for a in first]


async def test_repetitions_within_one_roster_are_one_person(town: Town) -> None:
    scope, unit = await town.scope("赵丽"), town.areas[f"{PHOENIX}/第一网格/3栋/1单元"]
    born = date(1970, 1, 1)
    answers = await enrol_many(
        scope,
        [
            Enrolment(name="罗兰", born_on=born, area_id=unit, room="801", phone="19900009009"),
            Enrolment(name="罗兰", phone="19900009009"),
            Enrolment(name="罗兰", born_on=born, area_id=unit, room="801"),
            Enrolment(name="罗兰", born_on=born, area_id=unit, room="802", head_name="另一户"),
        ],
    )
    assert [a.created for a in answers] == [True, False, False, True]


async def test_who_was_entered_by_mistake_is_withdrawn_unless_something_happened_since(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    answers = await enrol_many(scope, [Enrolment(name="错一"), Enrolment(name="错二")])
    ids = [a.person_id for a in answers]
    assert await undo_enrolments(scope, [*ids, town.people["张桂兰"]]) == [town.people["张桂兰"]]
    assert await owner.fetchval("SELECT count(*) FROM person WHERE id = ANY ($1)", ids) == 0
    with pytest.raises(NotFound):
        await open_person(scope, ids[0])
    assert (await names_of(scope, [town.people["张桂兰"]])) == {town.people["张桂兰"]: "张桂兰"}


async def test_two_enrolments_of_one_person_at_once_make_one(town: Town, client: httpx.AsyncClient) -> None:
    import asyncio

    headers, body = await town.sign_in("赵丽"), {"name": "覃慧敏", "identity": NUMBER}
    answers = await asyncio.gather(*(client.post(PEOPLE, headers=headers, json=body) for _ in range(10)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 9


@pytest.mark.parametrize(
    ("typed", "names_found"),
    [
        ("zgl", {"张桂兰"}), ("ZGL", {"张桂兰"}), ("zg", {"张桂兰", "张国庆"}), ("zhangguil", {"张桂兰"}),
        ("zhang gui", {"张桂兰"}),
        ("张桂", {"张桂兰"}), ("oykw", {"欧阳凯伟"}), ("桂兰", set()), ("zgl兰", set()),
    ],
)  # fmt: skip
async def test_a_person_is_found_by_pinyin_and_initials(town: Town, typed: str, names_found: set[str]) -> None:
    assert {each.name for each in (await list_people(await town.scope("赵丽"), q=typed)).items} == names_found


async def test_a_person_is_found_by_the_last_four_digits_by_who_sees_phones(town: Town) -> None:
    last = town.phones["张桂兰"][-4:]
    assert {p.name for p in (await list_people(await town.scope("赵丽"), q=last)).items} == {"张桂兰"}
    assert (await list_people(await town.scope("王建国"), q=last)).items == []


async def test_who_is_renamed_is_found_by_the_new_initials(town: Town) -> None:
    admin, person = await town.scope("赵丽"), town.people["李秀英"]
    await correct(admin, person, Correction(name="曾秀英", reason="写错了"))
    for typed in ("cxy", "zxy", "曾", "zengxiu"):
        assert [each.id for each in (await list_people(admin, q=typed)).items] == [person], typed
    assert [each.name for each in (await list_people(admin, q="lxy")).items] == ["刘小雨"]
