"""Tests of the lines of docs/duties.md that spend points, hand goods over, or cancel what was promised."""

from tests.matrix.duties import Driving, Fields, drives
from tests.matrix.rounds import OWNER
from tests.support.presence import body, personal_code
from tests.support.shop import API, key, points_of


async def looked(d: Driving, name: str) -> str:
    """Scan this person's code at the counter with purpose `look`; return the scan's nonce."""
    asked = body(personal_code(d.made.town, name), purpose="look")
    answer = await d.client.post(f"{API}/checkins", json=asked, headers=d.made.bearer["counter"])
    assert answer.json()["status"] == "ok", answer.text
    return str(asked["nonce"])


async def reserved(d: Driving, name: str, role: str) -> tuple[str, str]:
    """Reserve a good for this person as this role; return the redemption's id and its collection code."""
    objects = d.made.objects
    wanted = {
        "person_id": str(d.made.town.people[name]), "good_id": objects["good"], "station_id": objects["station"]
    }  # fmt: skip
    answer = await d.client.post(f"{API}/redemptions", json=wanted, headers=d.made.bearer[role] | key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"]), str(answer.json()["code"])


@drives("reserve")
async def _(d: Driving) -> None:
    await d.refused("counter", "forbidden")
    await d.refused("resident elsewhere", "not_found")
    await d.refused("neighbour", "insufficient_points", person_id=d.made.objects["person"])
    before = await points_of(d.made.town, OWNER)
    await d.done("owner", "reserve")
    assert (await points_of(d.made.town, OWNER))[0] < before[0]


@drives("spend-here")
async def _(d: Driving) -> None:
    await d.made.town.credit_deed("周敏", 50)
    own: Fields = {
        "person_id": str(d.made.town.people["周敏"]),
        "collect_now": True,
        "presence": await looked(d, "周敏"),
    }
    await d.refused("counter", "own_redemption", **own)
    here: Fields = {"collect_now": True, "presence": await looked(d, OWNER)}
    await d.refused("counter", "presence_needed", collect_now=True)
    await d.refused("counter without a keeper", "sign_on_needed", **here)
    await d.refused("display", "forbidden", **here)
    await d.refused("keeper of another station", "forbidden", **here)
    await d.refused("neighbour", "not_found", **here)
    await d.done("counter", "reserve", "collect", **here)


@drives("reserve-for")
async def _(d: Driving) -> None:
    await d.refused("neighbour", "forbidden")
    await d.refused("keeper", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("counter", "forbidden")
    for own in ("赵丽", "周敏"):
        await d.made.town.credit_deed(own, 50)
    await d.refused("admin", "not_independent", objects={"person": str(d.made.town.people["赵丽"])})
    before = await points_of(d.made.town, OWNER)
    await d.done("admin", "reserve_for")
    assert (await points_of(d.made.town, OWNER))[0] < before[0]
    (made,) = await d.owner.fetch(
        "SELECT r.id::text, k.code FROM redemption r JOIN pickup k ON k.noun_id = r.id "
        "WHERE r.reserved_by_login IS NOT NULL"
    )
    handed = "POST /api/v1/redemptions/{redemption_id}/collection"
    await d.refused("admin", "same_hand", handed, objects={"redemption": made["id"]}, code=made["code"])
    asked = "POST /api/v1/redemptions/{redemption_id}/confirmation"
    await d.refused("keeper", "own_code_needed", asked, objects={"redemption": made["id"]})
    seat = "POST /api/v1/bookings"
    await d.refused("keeper", "forbidden", seat, reason="代办")
    await d.done("admin", "book_for", op=seat, reason="妈妈来电话")


@drives("collect")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("keeper of another station", "not_found")
    await d.refused("counter without a keeper", "sign_on_needed")
    await d.refused("counter", "wrong_collection_code", code="00000000")
    await d.made.town.credit_deed("周敏", 50)
    own, code = await reserved(d, "周敏", "keeper")
    await d.refused("counter", "own_redemption", objects={"redemption": own}, code=code)
    await d.done("counter", "collect")


@drives("ask-second")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "forbidden")
    before = await points_of(d.made.town, OWNER)
    told = await d.done("counter", "ask_confirmation", quantity=2)
    assert told["status"] == "waiting"
    assert await points_of(d.made.town, OWNER) == before, "nothing moves before somebody else agrees"


@drives("agree-second")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper", "not_second_person")
    await d.refused("counter", "not_second_person")
    told = await d.done("admin", "agree_confirmation", "reserve", "collect")
    assert told["status"] == "agreed"


@drives("cancel-reservation")
async def _(d: Driving) -> None:
    for role in ("neighbour", "keeper of another station"):
        await d.refused(role, "not_found")
    await d.refused("auditor", "forbidden")
    await d.done("counter", "cancel")


@drives("return")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "not_found")
    await d.done("keeper", "count_stock", op="POST /api/v1/goods/{good_id}/counts", counted=40)
    await d.waits("keeper", "admin", "return_goods")


@drives("count")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "forbidden")
    await d.done("keeper", "return_goods", op="POST /api/v1/redemptions/{redemption_id}/return")
    await d.waits("keeper", "admin", "count_stock", counted=40)
    await d.done("admin", "count_stock", counted=60)


@drives("receive")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "forbidden")
    await d.done("counter", "receive")


@drives("good")
async def _(d: Driving) -> None:
    await d.refused("keeper", "forbidden")
    await d.refused("counter", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.done("admin", "add_good")
    await d.done("admin", "change_good", op="PATCH /api/v1/goods/{good_id}", name="又一种")


@drives("donate")
async def _(d: Driving) -> None:
    await d.refused("neighbour", "not_found")
    await d.refused("admin", "not_found")
    await d.refused("counter", "forbidden")
    before = await points_of(d.made.town, OWNER)
    await d.done("owner")
    assert (await points_of(d.made.town, OWNER))[0] == before[0] - 5


@drives("class-hours")
async def _(d: Driving) -> None:
    former = str(d.made.town.people["卫东"])
    await d.made.town.credit_deed("卫东", 100)
    await d.refused("former guardian", "guardian_consent_missing", person_id=former)
    await d.refused("neighbour", "not_found")
    await d.refused("admin", "forbidden")
    await d.refused("counter", "forbidden")
    await d.done("guardian", "buy_class_hours")


@drives("refund-hours")
async def _(d: Driving) -> None:
    await d.refused("former guardian", "not_found")
    await d.refused("auditor", "forbidden")
    await d.done("guardian", "refund_class_hours")


@drives("move-hours")
async def _(d: Driving) -> None:
    await d.refused("former guardian", "not_found")
    await d.refused("auditor", "forbidden")
    await d.done("guardian", "move_class_hours")


@drives("book")
async def _(d: Driving) -> None:
    await d.refused("former guardian", "guardian_consent_missing")
    await d.refused("neighbour", "guardian_consent_missing")
    await d.refused("display", "forbidden")
    await d.done("guardian", "book")


@drives("cancel-booking")
async def _(d: Driving) -> None:
    for role in ("former guardian", "neighbour", "keeper of another station"):
        await d.refused(role, "not_found")
    await d.refused("auditor", "forbidden")
    await d.done("guardian", "cancel")


@drives("attend")
async def _(d: Driving) -> None:
    await d.refused("guardian", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "not_found")
    await d.refused("counter", "wrong_door_code", code="00000000")
    await d.done("counter", "attend")


@drives("end-classes")
async def _(d: Driving) -> None:
    await d.refused("guardian", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("keeper of another station", "forbidden")
    await d.refused("keeper", "forbidden", "POST /api/v1/courses/{course_id}/stop")
    await d.done("keeper", "change_lesson", op="PATCH /api/v1/lessons/{lesson_id}")
    await d.done("keeper", "cancel")
    await d.done("admin", "stop_course", op="POST /api/v1/courses/{course_id}/stop")


@drives("close-station")
async def _(d: Driving) -> None:
    await d.refused("keeper", "forbidden")
    await d.refused("auditor", "forbidden")
    await d.refused("admin", "station_has_lessons", active=False)
    await d.owner.execute("UPDATE lesson SET cancelled_at = now()")
    await d.done("admin", "change_station", "cancel", "cancel_shift", active=False)
    assert await d.owner.fetchval("SELECT count(*) FROM redemption WHERE status = 'reserved'") == 0
