"""Tests of the lines of docs/duties.md that credit points and time, or change what may be credited."""

from datetime import timedelta
from uuid import UUID

import msgspec

from tests.matrix.duties import Driving, drives
from tests.matrix.rounds import NEIGHBOUR, OWNER
from tests.support.presence import nine_o_clock, personal_code, station_code
from tests.support.shop import API, key, points_of
from tests.support.town import PHOENIX
from timebank.core import clock
from timebank.deeds.credit import credit_due_deeds
from timebank.matters.loop.ending import refuse
from timebank.matters.opening.opening import open_matter
from timebank.matters.schemas import OpenIn, RefuseIn

UNIT = f"{PHOENIX}/第一网格/5栋/2单元"


async def hours_of(d: Driving, name: str, by: str) -> str:
    """Enter honour hours of this person as role `by`; return the record's id."""
    begin = nine_o_clock()
    told = {
        "person_id": str(d.made.town.people[name]), "station_id": d.made.objects["station"], "reason": "忘带手机",
        "started_at": begin.isoformat(), "ended_at": (begin + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    answer = await d.client.post(f"{API}/service-records", json=told, headers=d.made.bearer[by] | key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def deed_of(d: Driving, name: str, by: str, **more: object) -> str:
    """File a deed of this person as role `by`; return the deed's id."""
    told = {
        "person_id": str(d.made.town.people[name]), "rule_code": "mediation", "note": "说和了两家",
        "area_id": str(d.made.town.areas[UNIT]), "occurred_on": str(clock.local_day()),
    } | more  # fmt: skip
    answer = await d.client.post(f"{API}/deeds", json=told, headers=d.made.bearer[by])
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@drives("scan")
async def _(d: Driving) -> None:
    code = personal_code(d.made.town, NEIGHBOUR)
    await d.refused("stranger", "unauthenticated")
    await d.refused("display", "forbidden")
    await d.refused("counter without a keeper", "sign_on_needed", code=code)
    await d.refused("keeper of another station", "forbidden", code=code)
    await d.refused("auditor", "forbidden", code=code)
    told = await d.done("counter", "check_in", code=code)
    assert told["status"] == "ok", told
    await d.done("former guardian", "check_in", code=station_code(d.made.town))
    with clock.at(clock.now() + timedelta(minutes=30)):
        left = await d.done("former guardian", "check_out", "credit_record", code=station_code(d.made.town))
    assert left["credited"]["points"] == 5, left
    own = personal_code(d.made.town, "周敏")
    await d.done("counter", "check_in", code=own)
    with clock.at(clock.now() + timedelta(hours=1)):
        later = personal_code(d.made.town, "周敏")
        await d.done("counter", "check_out", "record_service", code=later)
    assert await points_of(d.made.town, "周敏") == (0, 0), "the keeper's own time waits for somebody else"
    look = await d.done("keeper", "identify", code=personal_code(d.made.town, OWNER), purpose="look")
    assert look["status"] == "ok"


@drives("hand")
async def _(d: Driving) -> None:
    neighbour = d.made.objects["neighbour"]
    await d.refused("display", "forbidden", person_id=neighbour)
    await d.refused("counter without a keeper", "sign_on_needed", person_id=neighbour)
    await d.refused("keeper of another station", "forbidden", person_id=neighbour)
    open_to_all = str(d.made.town.activities["站点值守"])
    await d.done("counter", "check_in", person_id=neighbour, direction="in", activity_id=open_to_all)
    with clock.at(clock.now() + timedelta(hours=1)):
        await d.done("counter", "check_out", person_id=neighbour, direction="out")
    assert await d.owner.fetchval(
        "SELECT status FROM service_record WHERE person_id = $1", UUID(neighbour)
    ) == "pending", "what is entered by hand waits"  # fmt: skip
    assert await points_of(d.made.town, NEIGHBOUR) == (0, 0)


@drives("undo-visit")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("keeper of another station", "forbidden")
    await d.done("counter", "undo_check_in")


@drives("hours")
async def _(d: Driving) -> None:
    for role in ("owner", "building head", "auditor", "counter", "keeper of another station"):
        await d.refused(role, "forbidden")
    made = await d.done("keeper", "record_service")
    assert made["status"] == "pending"
    await d.refused("keeper", "forbidden", "POST /api/v1/service-records/{record_id}/review",
                    objects={"record": made["id"]})  # fmt: skip


@drives("review-hours")
async def _(d: Driving) -> None:
    for role in ("owner", "grid worker", "keeper", "auditor"):
        await d.refused(role, "forbidden")
    own, entered = await hours_of(d, "赵丽", "keeper"), await hours_of(d, "吴昊", "admin")
    await d.refused("admin", "own_record", objects={"record": own})
    await d.refused("admin", "own_record", objects={"record": entered})
    told = await d.done("admin", "approve_record")
    assert told["status"] == "noticed"
    await d.done("street admin", "reject_record", objects={"record": own}, decision="reject", note="没有来过")


@drives("correct-end")
async def _(d: Driving) -> None:
    for role in ("owner", "keeper of another station", "auditor"):
        await d.refused(role, "forbidden")
    assert (await d.done("admin", "correct_end"))["status"] == "pending"
    review, objects = "POST /api/v1/service-records/{record_id}/review", {"record": d.made.objects["forgotten record"]}
    await d.refused("admin", "own_record", review, objects=objects)
    await d.done("street admin", "credit_record", op=review, objects=objects)


@drives("file-deed")
async def _(d: Driving) -> None:
    d.made.objects["area"] = str(d.made.town.areas[UNIT])
    for role, code in (("owner", "not_your_area"), ("counter", "forbidden")):
        await d.refused(role, code)
    await d.refused("auditor", "not_your_area")
    made = await d.done("grid worker", "file_deed", person_id=str(d.made.town.people["刘洋"]))
    await d.refused("grid worker", "party_to_deed", "POST /api/v1/deeds/{deed_id}/review", objects={"deed": made["id"]})


@drives("review-deed")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    own = {"deed": await deed_of(d, "赵丽", "grid worker")}
    await d.refused("admin", "party_to_deed", objects=own)
    assert (await d.done("street admin", "review_deed", objects=own))["status"] == "noticed"
    much = {"deed": await deed_of(d, "刘洋", "admin", points=10_000, points_reason="贡献突出")}
    await d.waits("grid worker", "street admin", "review_deed", objects=much)
    await d.done("grid worker", "ask_witness", witness_asked=True)
    before = await d.rows_before()
    with clock.at(clock.now() + timedelta(days=8)):
        assert await credit_due_deeds(d.made.town.system()) >= 2
    await d.recorded(None, before, "credit_deed")


@drives("witness")
async def _(d: Driving) -> None:
    await d.refused("unit head", "forbidden")
    await d.refused("neighbour", "not_found")
    assert (await d.done("owner", "answer_as_witness"))["witness_answer"] == "confirmed"


@drives("object")
async def _(d: Driving) -> None:
    await d.refused("unit head", "own_deed")
    await d.refused("resident elsewhere", "not_found")
    await d.refused("counter", "forbidden")
    await d.done("owner", "object")
    await d.refused("owner", "already_objected")


@drives("decide-objection")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("admin", "party_to_deed")  # the administrator opened the login of the person who objected
    await d.done("street admin", "decide_objection")


async def matter_of(d: Driving, name: str, **more: object) -> str:
    """Report something in the name of this person; return the matter's id."""
    wanted = {"kind": "report", "category": "noise", "area_id": d.made.town.areas[UNIT], "said": "夜里吵"} | more
    opened = await open_matter(await d.made.town.scope(name), msgspec.convert(wanted, OpenIn))
    return str(opened.id)


@drives("confirm-matter")
async def _(d: Driving) -> None:
    matter = {"done matter": await matter_of(d, OWNER)}
    said = {"verified": "true", "note": "看过了"}
    await d.refused("street admin", "matter_moved_on", objects=matter, **said)
    because = RefuseIn(because="not_ours", note="属于铁路")
    await refuse(await d.made.town.scope("钱进", d.made.town.community), UUID(matter["done matter"]), because)
    for role in ("owner", "auditor", "grid worker", "counter"):
        await d.refused(role, "forbidden", objects=matter, **said)
    await d.refused("resident elsewhere", "not_found", objects=matter, **said)
    await d.done("street admin", "confirm_matter", objects=matter, **said)


@drives("reverse")
async def _(d: Driving) -> None:
    await d.refused("building head", "forbidden")
    await d.refused("auditor", "forbidden")
    own = {"credited deed": str(await d.made.town.credit_deed("赵丽", 10))}
    await d.refused("admin", "party_to_deed", objects=own)
    await d.done("admin", "reverse_deed")
    await d.done("admin", "reverse_record", op="POST /api/v1/service-records/{record_id}/reversal")


@drives("let-expire")
async def _(d: Driving) -> None:
    await d.refused("keeper", "forbidden")
    stood = await points_of(d.made.town, OWNER)
    assert (await d.send("auditor")).status_code == 403
    assert (await d.send("admin")).status_code == 409, "nothing waits to expire; tests/expiry/test_expiry.py lets it"
    assert await points_of(d.made.town, OWNER) == stood


@drives("import")
async def _(d: Driving) -> None:
    for name in ("residents", "hours", "deeds", "goods", "members", "matters"):
        await d.refused("auditor", "forbidden", f"POST /api/v1/imports/{name}")
        await d.refused("keeper", "forbidden", f"POST /api/v1/imports/{name}")
    await d.done("admin", "import", "enrol_many", "ensure_logins", op="POST /api/v1/imports/residents")
    told = await d.done("admin", "import", op="POST /api/v1/imports/hours")
    assert told["created"] == 1
    record = await d.owner.fetchval(
        "SELECT id::text FROM service_record WHERE person_id = $1", d.made.town.people["李秀英"]
    )
    review, objects = "POST /api/v1/service-records/{record_id}/review", {"record": record}
    await d.refused("admin", "own_record", review, objects=objects)
    await d.done("street admin", "approve_record", op=review, objects=objects)


@drives("map-words")
async def _(d: Driving) -> None:
    for op in d.line.routes:
        await d.refused("keeper", "forbidden", op)
    for op in d.line.routes[1:]:
        await d.refused("auditor", "forbidden", op)
        await d.refused("admin elsewhere", "not_found", op)
    await d.done("admin", "map_words", op=d.line.routes[1])
    await d.done("admin", "forget_word", op=d.line.routes[2])
    await d.refused("admin", "not_found", d.line.routes[1])


@drives("undo-import")
async def _(d: Driving) -> None:
    await d.refused("auditor", "forbidden")
    await d.refused("keeper", "forbidden")
    await d.refused("admin elsewhere", "not_found")
    await d.done("admin", "undo_import")


@drives("policy")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "owner"):
        await d.refused(role, "forbidden")
    await d.done("admin", "change_policy", value=14)
    await d.owner.execute("DELETE FROM waiting_change")  # the round has one of the same policy
    await d.waits("admin", "street admin", "change_policy", value=2)


@drives("rule")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "owner"):
        await d.refused(role, "forbidden")
    await d.done("admin", "set_rule", points=10)
    await d.waits("admin", "street admin", "set_rule", op="POST /api/v1/rules", points=50)


@drives("decide-change")
async def _(d: Driving) -> None:
    for role in ("owner", "keeper", "auditor", "admin"):
        answer = await d.send(role)
        assert answer.status_code == 403, role
    await d.refused("admin elsewhere", "not_found")
    assert (await d.done("street admin", "decide_change", "change_policy"))["status"] == "agreed"


@drives("confirm-card")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    confirmed = "SELECT count(*) FROM card WHERE confirmed_by_login IS NOT NULL"
    assert (await d.send("keeper")).status_code == 403, "she has issued it"
    assert await d.owner.fetchval(confirmed) == 0
    await d.done("admin", "confirm_card")
    assert await d.owner.fetchval(confirmed) == 1


@drives("confirm-login")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("counter", "forbidden")
    await d.refused("admin", "not_independent")
    await d.done("keeper", "confirm_login")
