"""Tests of the lines of docs/duties.md that grant roles, logins, cards, devices and places."""

from datetime import timedelta

from tests.matrix.duties import Driving, Fields, drives
from tests.matrix.rounds import OWNER
from tests.support.counter import PASSWORD
from tests.support.shop import API
from timebank.core import clock


@drives("role")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "owner"):
        await d.refused(role, "forbidden")
    here, region = d.made.objects["neighbour"], d.made.objects["community"]
    await d.refused("admin", "own_role", person_id=str(d.made.town.people["赵丽"]))
    admin: Fields = {"person_id": here, "role": "community_admin", "region_id": region, "area_id": None}
    await d.waits("admin", "street admin", "grant_role", **admin)
    await d.done("admin", "grant_role")
    await d.refused("admin", "forbidden", **admin | {"role": "street_admin", "region_id": d.made.objects["street"]})


@drives("end-role")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "unit head"):
        await d.refused(role, "forbidden")
    held = "SELECT id::text FROM role_grant WHERE person_id = $1"
    own = await d.owner.fetchval(held, d.made.town.people["赵丽"])
    await d.refused("admin", "own_role", objects={"grant": own})
    auditor = await d.owner.fetchval(held, d.made.town.people["孙伟"])
    await d.waits("admin", "street admin", "end_role", objects={"grant": auditor})
    await d.done("admin", "end_role")


@drives("enrol")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "owner"):
        await d.refused(role, "forbidden")
    await d.done("admin", "enrol")


@drives("correct-person")
async def _(d: Driving) -> None:
    await d.refused("keeper", "not_found")
    await d.refused("auditor", "forbidden")
    above = {"person": str(d.made.town.people["钱进"])}
    await d.refused("admin", "office_holder", objects=above, phone="19900007777")
    own = {"person": str(d.made.town.people["赵丽"])}
    await d.owner.execute("UPDATE person SET relation = '户主' WHERE id = $1", d.made.town.people["赵丽"])
    auditor = {"person": str(d.made.town.people["孙伟"])}
    await d.waits("admin", "street admin", "correct_person", objects=auditor, phone="19900007777")
    await d.done("admin", "correct_person")
    await d.done("admin", "set_status", status="blocked", reason="重复登记")
    waits = await d.send("admin", objects=own, room="808", head_name="赵丽")
    assert waits.status_code == 202, "her own household moves when the street agrees"


@drives("merge")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "unit head"):
        await d.refused(role, "forbidden")
    await d.refused("admin", "cannot_merge", merged_id=d.made.objects["kept"])
    undo = "DELETE /api/v1/people/{person_id}/merges/{merge_id}"
    await d.refused("auditor", "forbidden", undo)
    await d.done("admin", "undo_merge", op=undo)
    await d.done("admin", "merge_people")
    other = await d.send("admin", "POST /api/v1/people", name="何青青")
    await d.waits("admin", "street admin", "merge_people", merged_id=other.json()["id"])


@drives("publish")
async def _(d: Driving) -> None:
    await d.refused("counter", "forbidden")
    await d.refused("stranger", "unauthenticated")
    await d.done("owner", "correct_person", publishes_name="1")
    shown = "SELECT name FROM person WHERE publishes_name"
    assert [row["name"] for row in await d.owner.fetch(shown)] == [OWNER], "nobody's but the own"


@drives("code")
async def _(d: Driving) -> None:
    for role in ("owner", "auditor", "counter"):
        await d.refused(role, "forbidden")
    for name in ("孙伟", "钱进"):
        await d.refused("admin", "office_holder", objects={"person": str(d.made.town.people[name])})
    # The round was made longer ago than the five minutes for which a scan proves presence, where a machine is slow.
    person = d.made.town.people[OWNER]
    await d.owner.execute("UPDATE scan SET received_at = $1 WHERE person_id = $2", clock.now(), person)
    await d.done("keeper", "give_one_time_code")


@drives("end-sign-ins")
async def _(d: Driving) -> None:
    why: Fields = {"reason": "手机丢了"}
    for role in ("owner", "keeper", "auditor", "counter"):
        await d.refused(role, "forbidden", **why)
    await d.refused("admin elsewhere", "not_found", **why)
    await d.refused("admin", "forbidden", objects={"person": str(d.made.town.people["赵丽"])}, **why)
    for name in ("孙伟", "钱进"):
        await d.refused("admin", "office_holder", objects={"person": str(d.made.town.people[name])}, **why)
    await d.refused("admin", "invalid", reason="")
    await d.done("admin", "end_sign_ins", **why)
    assert (await d.client.get(f"{API}/me", headers=d.made.bearer["owner"])).status_code == 401


@drives("sign-in")
async def _(d: Driving) -> None:
    before = await d.rows_before()
    await d.refused("stranger", "wrong_sign_in", password="不是这个密码")
    told = await d.done("stranger")
    assert told["token"]
    await d.recorded("keeper", before, "sign_in")
    assert await d.owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'sign_in' AND login_id IS NOT NULL") > 1


@drives("password")
async def _(d: Driving) -> None:
    await d.refused("counter", "forbidden")
    await d.refused("keeper", "wrong_password", password="liu-shui-gao-shan-2026", current="不是这个密码")
    await d.refused("keeper", "weak_password", password="1111111111", current=PASSWORD)
    await d.done("keeper", "set_password", password="liu-shui-gao-shan-2026", current=PASSWORD)


@drives("own-sign-ins")
async def _(d: Driving) -> None:
    await d.refused("counter", "forbidden")
    await d.refused("keeper", "invalid", sign_in_id="不是编号")
    further = {"Authorization": f"Bearer {await d.made.town.token('周敏')}"}
    await d.done("keeper", "sign_out", sign_in_id="")
    assert (await d.client.get(f"{API}/me", headers=further)).status_code == 401
    assert (await d.client.get(f"{API}/me", headers=d.made.bearer["keeper"])).status_code == 200


@drives("sign-on")
async def _(d: Driving) -> None:
    await d.refused("keeper", "forbidden")
    await d.refused("display", "forbidden")
    await d.refused("counter without a keeper", "wrong_sign_in", password="不是这个密码")
    await d.done("counter without a keeper", "sign_on")
    await d.done("counter without a keeper", "sign_off", op="DELETE /api/v1/counter/sign-on")
    await d.refused("counter without a keeper", "sign_on_needed", "POST /api/v1/people/{person_id}/card")


@drives("card")
async def _(d: Driving) -> None:
    for role in ("owner", "grid worker", "auditor"):
        await d.refused(role, "forbidden")
    old = {"person": str(d.made.town.people["张国庆"])}
    made = await d.done("counter", "issue_card", objects=old)
    seen: Fields = {"code": made["url"], "purpose": "look"}
    told = await d.send("counter", "POST /api/v1/checkins", **seen)
    assert told.json()["status"] != "error", told.text
    nonce_ = await d.owner.fetchval("SELECT nonce FROM scan ORDER BY received_at DESC LIMIT 1")
    await d.made.town.credit_deed("张国庆", 50)
    take: Fields = {"person_id": old["person"], "collect_now": True, "presence": nonce_}
    await d.refused("counter", "card_not_confirmed", "POST /api/v1/redemptions", **take)


@drives("end-card")
async def _(d: Driving) -> None:
    for role in ("owner", "grid worker", "auditor"):
        await d.refused(role, "forbidden")
    await d.refused("admin elsewhere", "not_found")
    await d.done("counter", "revoke_card")


@drives("guardian")
async def _(d: Driving) -> None:
    for role in ("guardian", "keeper", "auditor"):
        await d.refused(role, "forbidden")
    await d.waits("admin", "street admin", "name_guardian", guardian_id=str(d.made.town.people["赵丽"]), consented=True)
    await d.done("admin", "name_guardian")


@drives("consent")
async def _(d: Driving) -> None:
    for role in ("neighbour", "former guardian", "auditor"):
        await d.refused(role, "not_found")
    await d.done("guardian", "withdraw_consent", op="DELETE /api/v1/guardianships/{guardianship_id}/consent")
    await d.done("guardian", "record_consent")
    named = await d.owner.fetchval(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation) VALUES ($1, $2, $3, $4, '姑姑') "
        "RETURNING id::text",
        d.made.town.community, clock.new_id(), d.made.town.people["王建国"], d.made.town.people["刘小雨"],
    )  # fmt: skip
    await d.owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", d.made.town.households["赵丽"],
        d.made.town.people["王建国"],
    )  # fmt: skip
    await d.waits("admin", "street admin", "record_consent", objects={"guardianship": named})


@drives("end-guardian")
async def _(d: Driving) -> None:
    for role in ("guardian", "neighbour", "auditor"):
        await d.refused(role, "forbidden")
    await d.done("admin", "end_guardianship")


@drives("device")
async def _(d: Driving) -> None:
    for role in ("owner", "counter", "keeper of another station", "auditor"):
        await d.refused(role, "forbidden")
    await d.refused("keeper", "device_stands", replaces=None)
    await d.waits("keeper", "admin", "register_device", replaces=None, further=True)
    told = await d.done("keeper", "register_device")
    nobody = {"Authorization": f"Bearer {told['token']}"}
    answer = await d.client.get(f"{API}/goods", headers=nobody)
    assert answer.json()["code"] == "sign_on_needed", "a tablet that nobody serves at is nobody"


@drives("pair")
async def _(d: Driving) -> None:
    before = await d.rows_before()
    await d.refused("stranger", "pairing_over", objects={"pairing counter": d.made.objects["pairing display"]})
    await d.done("stranger")
    await d.recorded(None, before, "pair_device")
    await d.refused("stranger", "pairing_over")


@drives("end-device")
async def _(d: Driving) -> None:
    for role in ("owner", "counter", "keeper of another station", "auditor"):
        await d.refused(role, "forbidden")
    await d.refused("admin elsewhere", "not_found")
    await d.done("keeper", "revoke_device")


@drives("rotate-key")
async def _(d: Driving) -> None:
    for role in ("keeper", "counter", "auditor"):
        await d.refused(role, "forbidden")
    await d.done("admin", "rotate_key")


@drives("found-region")
async def _(d: Driving) -> None:
    for role in ("keeper", "auditor", "owner"):
        await d.refused(role, "forbidden")
    await d.done("admin", "add_area")
    place: Fields = {"kind": "community", "name": "新社区", "parent_id": d.made.objects["street"]}
    await d.refused("admin", "forbidden", **place)
    await d.done("street admin", "found_region", **place)


@drives("workday")
async def _(d: Driving) -> None:
    for role in ("admin", "street admin", "auditor", "keeper", "owner"):
        for route in d.line.routes:
            await d.refused(role, "forbidden", route)
    await d.done("county admin", "set_workday")
    await d.refused("county admin", "workday_past", day=str(clock.local_day() - timedelta(days=1)))
    await d.done("county admin", "clear_workday", op="POST /admin/workdays/cleared")


@drives("membership")
async def _(d: Driving) -> None:
    await d.refused("admin elsewhere", "not_found", decision="agree")
    await d.refused("owner", "not_found", decision="agree")
    await d.refused("counter", "forbidden", decision="agree")
    await d.done("neighbour", "decline_membership", decision="decline")
    await d.refused("neighbour", "not_found", decision="agree")
    await d.owner.execute("UPDATE membership_question SET declined_at = NULL")
    await d.done("neighbour", "agree_membership", decision="agree")


@drives("renew-pairing")
async def _(d: Driving) -> None:
    for role in ("owner", "counter", "keeper of another station", "auditor"):
        await d.refused(role, "forbidden")
    await d.refused("admin elsewhere", "not_found")
    told = await d.done("keeper", "renew_pairing")
    assert told["url"].rpartition("/")[2] != d.made.objects["pairing display"], "the link of before serves no more"


@drives("report-in")
async def _(d: Driving) -> None:
    leave = "DELETE /api/v1/affiliations/{affiliation_id}"
    for role in ("neighbour", "keeper", "auditor", "counter", "display"):
        await d.refused(role, "forbidden")
    await d.refused("admin elsewhere", "not_found")
    await d.refused("neighbour", "not_found", leave)
    await d.done("owner", "leave_unit", op=leave)
    await d.done("admin", "report_in", reported_on=str(clock.local_day()))


@drives("team-member")
async def _(d: Driving) -> None:
    leave, write = "DELETE /api/v1/teams/{team_id}/members/{person_id}", "POST /api/v1/teams/{team_id}/messages"
    for role in ("neighbour", "keeper", "auditor", "counter"):
        for op in (None, leave, write):
            await d.refused(role, "forbidden", op)
    await d.refused("resident elsewhere", "not_found")
    herself = str(d.made.town.people["赵丽"])
    await d.refused("admin", "own_membership", person_id=herself, leads=True)
    await d.done("admin", "ask_to_join", person_id=herself)
    await d.refused("neighbour", "forbidden", leads=True)
    await d.done("admin", "confirm_member", leads=True)
    await d.done("owner", "write_to_team", op=write)
    await d.done("owner", "leave_team", op=leave)


@drives("skill-proof")
async def _(d: Driving) -> None:
    for role in ("owner", "keeper", "auditor", "counter"):
        await d.refused(role, "forbidden")
    await d.refused("admin elsewhere", "not_found")
    await d.done("admin", "see_proof")
