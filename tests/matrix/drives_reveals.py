"""Tests of the lines of docs/duties.md that reveal personal data, and of the operator's commands."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.imports.kinds.test_imports import GOODS, table
from tests.matrix.drives_mints import matter_of
from tests.matrix.duties import Driving, drives
from tests.matrix.rounds import OWNER, insert
from tests.support.counter import PASSWORD
from timebank.access.admins import create_admin
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.operations.worker import run_all

PERSON = "GET /api/v1/people/{person_id}"


async def unseen(d: Driving, code: str, *roles: str, op: str | None = None) -> None:
    """Assert that these roles are refused with this code, and that the answer does not contain the owner's name."""
    for role in roles:
        await d.refused(role, code, op)
        assert OWNER not in (await d.send(role, op)).text


@drives("open-person")
async def _(d: Driving) -> None:
    await unseen(d, "not_found", "neighbour", "keeper", "admin elsewhere")
    await unseen(d, "forbidden", "counter")
    await d.done("street admin", "open_person")
    await d.done("admin", "open_person", objects={"person": d.made.objects["child"]})
    assert (await d.done("owner"))["name"] == OWNER


@drives("list-people")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "keeper", "display")
    await d.done("admin", "read_children")
    phone = d.made.town.phones[OWNER]
    told = await d.done("counter", "look_up", name=OWNER, phone_last4=phone[-4:])
    assert [each["name"] for each in told["items"]] == [OWNER]


@drives("look-up")
async def _(d: Driving) -> None:
    await d.refused("owner", "forbidden")
    await d.refused("display", "forbidden")
    await d.refused("keeper of another station", "not_found")
    await d.refused("counter without a keeper", "sign_on_needed")
    await d.done("counter", "look_up", name=OWNER)


@drives("helpers")
async def _(d: Driving) -> None:
    members, offers = "GET /api/v1/teams/{team_id}/members", "GET /api/v1/skills/{skill_id}/offers"
    for op in (None, members, offers):
        await unseen(d, "forbidden", "neighbour", "keeper", "grid worker", "counter", op=op)
    assert [each["name"] for each in await d.done("admin")] == [OWNER]
    for role in ("auditor", "building head"):  # who leads the team
        assert [each["name"] for each in await d.done(role, op=members)] == [OWNER, "王建国"], "who asks comes first"
    assert [each["name"] for each in (await d.done("auditor", op=offers))["items"]] == [OWNER]


@drives("unit-names")
async def _(d: Driving) -> None:
    await unseen(d, "not_found", "owner", "keeper", "resident elsewhere")
    await unseen(d, "forbidden", "counter")
    assert [each["name"] for each in (await d.done("admin"))["items"]] == [OWNER]
    home, unit = d.made.town.home["马涛"], UUID(d.made.objects["linked unit"])
    await insert(
        d.owner, "role_grant", community_id=home, person_id=d.made.town.people["马涛"], role="unit_contact",
        region_id=d.made.town.county, unit_id=unit, starts_on=clock.local_day(), granted_at=clock.now(),
    )  # fmt: skip
    told = await d.done("resident elsewhere", "read_reported")
    assert told["items"] == [], "nobody of the unit has reported in to the contact's own community"


@drives("read-code")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "keeper of another station", "auditor")
    await d.done("keeper", "read_code")
    before = await d.rows_before()
    await d.done("display")
    assert await d.rows_before() == before, "the screen itself shows it every fifteen seconds"


@drives("read-card")
async def _(d: Driving) -> None:
    await unseen(d, "not_found", "admin", "keeper of another station", "auditor", "street admin")
    await unseen(d, "not_found", "neighbour", "admin elsewhere")
    await d.done("owner")
    await d.done("keeper")


@drives("guardians")
async def _(d: Driving) -> None:
    await unseen(d, "not_found", "former guardian", "keeper", "admin elsewhere")
    assert (await d.done("guardian"))[0]["child_name"] == "刘小雨"


@drives("own-books")
async def _(d: Driving) -> None:
    books = "GET /api/v1/me/balances"
    person = d.made.objects["person"]
    for role, code in (("neighbour", "not_found"), ("counter", "forbidden"), ("admin elsewhere", "not_found")):
        await d.refused(role, code, books, person_id=person)
    await d.refused("former guardian", "not_found", "GET /api/v1/class-hours")
    await d.done("owner", op=books)
    await d.done("street admin", "open_person", op=books, person_id=person)


@drives("trail")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "keeper", "counter", "grid worker")
    told = await d.done("auditor")
    assert told["items"]


@drives("lists")
async def _(d: Driving) -> None:
    for op in (route for route in d.line.routes if "{" not in route and "/api/" in route):
        await unseen(d, "forbidden", "owner", "keeper", "counter", op=op)
        await d.done("auditor", op=op)
    await d.refused("admin elsewhere", "not_found", "GET /api/v1/agreements/{agreement_id}")


@drives("export")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "keeper", "grid worker")
    await d.done("auditor", "export_list")
    await d.done("admin", "export_list")
    await d.owner.execute(
        "INSERT INTO export_day (community_id, login_id, list, day, rows) SELECT $1, id, 'people', $2, 100 FROM login",
        d.made.town.community, clock.local_day(),
    )  # fmt: skip
    before = await d.rows_before()
    await d.client.post("/admin/exports/people", headers=d.made.bearer["admin"])
    await d.recorded("admin", before, "propose")


@drives("drafts")
async def _(d: Driving) -> None:
    await d.refused("street admin", "draft_gone", d.line.routes[1])
    await d.refused("auditor", "forbidden")
    await d.done("admin")


@drives("children")
async def _(d: Driving) -> None:
    for role in ("neighbour", "former guardian", "admin elsewhere"):
        assert "刘小雨" not in (await d.send(role)).text
    await d.refused("owner", "forbidden", "GET /admin/classes/lessons/{lesson_id}")
    assert "刘小雨" in (await d.send("guardian")).text
    await d.done("admin", "read_children")
    assert "刘小雨" not in (await d.send("counter")).text, "the counter reads the family name alone"


@drives("one-record")
async def _(d: Driving) -> None:
    kinds = ("service-records/{record_id}", "redemptions/{redemption_id}", "deeds/{deed_id}", "photos/{photo_id}")
    for route in kinds:
        await unseen(d, "not_found", "neighbour", "former guardian", "admin elsewhere", op=f"GET /api/v1/{route}")
        await d.done("owner", op=f"GET /api/v1/{route}")
        await d.done("auditor", op=f"GET /api/v1/{route}")


@drives("publish-photo")
async def _(d: Driving) -> None:
    await d.refused("stranger", "unauthenticated")
    for role, code in (("owner", "forbidden"), ("unit head", "forbidden"), ("neighbour", "not_found")):
        await d.refused(role, code)
    await d.refused("admin elsewhere", "not_found")
    await d.refused("grid worker", "photo_not_cleared", cleared=False)
    paint = "PUT /api/v1/photos/{photo_id}/paint"
    await d.refused("auditor", "forbidden", paint)
    painted = await d.done("unit head", "paint_photo", op=paint)
    await d.done("grid worker", "publish_photo", objects={"photo": painted["id"]})


@drives("stations-devices")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "keeper of another station")
    await d.refused("admin elsewhere", "not_found")
    await d.done("keeper")


@drives("board")
async def _(d: Driving) -> None:
    page = (await d.send("stranger", "GET /board/{community_id}")).text
    assert "李*" in page
    assert "李秀英" not in page, "who has not consented is named by one letter"


@drives("create-admin")
async def _(d: Driving) -> None:
    for name in ("赵丽", "吴昊"):
        with pytest.raises(Forbidden):
            await create_admin(await d.made.town.scope(name), "新管理员", "19900007888", PASSWORD)
    before = await d.rows_before()
    await d.run("create-admin", "--name", "新管理员", "--phone", "19900007888", "--community", "凤凰社区",
                "--password-stdin", given=PASSWORD)  # fmt: skip
    await d.recorded(None, before, "enrol_many", "grant_role")
    by = await d.owner.fetchval("SELECT login_id FROM audit WHERE verb = 'set_password' ORDER BY at DESC LIMIT 1")
    assert by not in d.made.town.logins.values(), "it stands in the new login's own name"
    d.seen.add("set_password")


@drives("confirm")
async def _(d: Driving) -> None:
    stood, change = await d.moved(), d.made.objects["agreement"]
    await d.run("confirm", change, status=1)
    assert await d.moved() == stood, "others may decide, and the operator may not"
    await d.owner.execute(
        "UPDATE role_grant SET ended_at = now() WHERE role IN ('street_admin', 'county_admin', 'auditor')"
    )
    before = await d.rows_before()
    await d.run("confirm", change)
    await d.recorded(None, before, "decide_change", "change_policy")


@drives("cards")
async def _(d: Driving) -> None:
    before = await d.rows_before()
    await d.run("cards", "--community", "凤凰社区", "--issue", "--out", str(d.folder / "cards.pdf"))
    await d.recorded(None, before, "issue_missing_cards")


@drives("import-command")
async def _(d: Driving) -> None:
    before, book = await d.rows_before(), d.folder / "goods.csv"
    book.write_bytes(table(GOODS, ["水壶", "个", "5", "10", "暖蜂驿站", ""]))
    await d.run("import", "goods", str(book), "--community", "凤凰社区")
    await d.recorded(None, before, "import")


@drives("worker")
async def _(d: Driving) -> None:
    before, noticed = await d.rows_before(), d.made.objects["noticed record"]
    await d.owner.execute("UPDATE objection SET upheld = false, decided_at = now(), decision_note = '属实'")
    credited = f"SELECT status FROM service_record WHERE id = '{noticed}'"
    with clock.at(clock.now() + timedelta(days=3)):
        await run_all()
    assert await d.owner.fetchval(credited) == "noticed", "the notice is not over"
    with clock.at(clock.now() + timedelta(days=10)):
        await run_all()
    await d.recorded(None, before, "credit_record", "close_forgotten", "expire")
    assert await d.owner.fetchval(credited) == "approved"


@drives("login-standing")
async def _(d: Driving) -> None:
    await unseen(d, "forbidden", "owner", "unit head", "building head", "resident elsewhere")
    await unseen(d, "not_found", "admin elsewhere")
    assert (await d.done("keeper"))["login"] == "joined"


@drives("read-matter")
async def _(d: Driving) -> None:
    matter = {"matter": await matter_of(d, OWNER, category="security", hides_reporter=True)}
    one = "GET /api/v1/matters/{matter_id}"
    for role in ("neighbour", "keeper", "resident elsewhere", "admin elsewhere"):
        await d.refused(role, "not_found", one, objects=matter)
    assert (await d.send("grid worker", one, objects=matter)).json()["reporter"] is None
    assert (await d.done("admin", "read_matter", op=one, objects=matter))["reporter"] == OWNER
