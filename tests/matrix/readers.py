"""The GET requests of each person that the plan tests send to a large community, or why one is left out."""

from uuid import UUID

import asyncpg

from tests.support.counter import kept_scope
from tests.support.town import PHOENIX, Town, operating
from timebank.access.devices import devices
from timebank.core import clock
from timebank.http.callers import DEVICE_COOKIE, SESSION_COOKIE

READERS = {
    "张桂兰": (
        "/", "/statement", "/statement/{reversal}", "/statement/{debt}", "/visits", "/visits/{visit}", "/messages",
        "/visits/records/{entered}", "/redemptions", "/redemptions/{redemption}", "/goods", "/goods/{good}", "/classes",
        "/activities", "/activities/regular", "/family",
        "/deeds", "/deeds/new", "/deeds/{deed}", "/preferences", "/sign-ins", "/me/code", "/me/code.json", "/scan",
        "/board/{community}",
        "/api/v1/me", "/api/v1/me/balances", "/api/v1/me/statement?limit=200", "/api/v1/me/messages",
        "/api/v1/me/code", "/api/v1/me/code.png", "/api/v1/me/code.svg", "/api/v1/visits", "/api/v1/redemptions",
        "/api/v1/redemptions/{redemption}", "/api/v1/service-records", "/api/v1/service-records/{record}",
        "/api/v1/deeds", "/api/v1/deeds/{deed}", "/api/v1/deeds/{deed}/photos", "/api/v1/bookings",
        "/api/v1/board?community_id={community}",
        "/api/v1/goods", "/api/v1/goods/{good}", "/api/v1/activities", "/api/v1/activities/{activity}",
        "/api/v1/activities/{activity}/shifts", "/api/v1/shift-patterns", "/api/v1/stations",
        "/api/v1/stations/{station}", "/api/v1/rules",
        "/api/v1/courses", "/api/v1/courses/{course}", "/api/v1/courses/{course}/lessons", "/api/v1/lessons/{lesson}",
    ),
    "刘洋": (
        "/", "/communities",
        "/classes", "/classes/{course}", "/classes/{course}?child={child}", "/classes/bookings/{booking}",
        "/family", "/statement",
        "/api/v1/bookings", "/api/v1/bookings?limit=200", "/api/v1/bookings?status=held",
        "/api/v1/bookings?status=attended&child_id={child}", "/api/v1/bookings?lesson_id={lesson}",
        "/api/v1/class-hours?child_id={child}",
        "/api/v1/class-hours/quote?course_id={course}&child_id={child}&person_id={guardian}&minutes=60",
    ),
    "赵丽": (
        "/admin", "/admin/ledger", "/admin/ledger/{entry}", "/admin/ledger/{reversal}", "/admin/ledger/{debt}",
        "/admin/months/{month}", "/admin/months/days/{day}",
        "/admin/inbox", "/admin/reviews?status=approved", "/admin/reviews?status=reversed",
        "/admin/reviews?status=approved&person_id={heavy}", "/admin/deeds?status=credited&person_id={heavy}",
        "/admin/deeds?status=reversed", "/admin/goods/redemptions?person_id={heavy}",
        "/admin/goods/redemptions?status=returned&order=oldest",
        "/admin/goods/redemptions?status=expired&station={station}",
        "/admin/reviews/hours", "/admin/reviews/{record}",
        "/admin/presence", "/admin/deeds",
        "/admin/deeds/catalogue",
        "/admin/deeds/{deed}", "/admin/objections/{objection}", "/admin/goods", "/admin/goods/new",
        "/admin/goods/{good}", "/admin/goods/redemptions", "/admin/presence/undone",
        "/admin/goods/redemptions/{redemption}", "/admin/classes",
        "/admin/classes/new", "/admin/classes/{course}", "/admin/classes/lessons/{lesson}", "/admin/activities",
        "/admin/activities/new", "/admin/activities/{activity}", "/admin/stations", "/admin/stations/new",
        "/admin/stations/{station}", "/admin/exports", "/admin/people", "/admin/people/new", "/admin/people/{heavy}",
        "/admin/people/{heavy}?part=refused_scans", "/admin/people/{heavy}?part=sign_ins",
        "/admin/people/duplicates", "/admin/people/{heavy}/merge", "/api/v1/people/duplicates",
        "/api/v1/people/{heavy}/merges",
        "/admin/people/{heavy}/correction", "/admin/people/{heavy}/reservation", "/admin/people/{heavy}/booking",
        "/admin/people/{heavy}/card.png", "/admin/imports", "/admin/imports/{run}",
        "/admin/imports/words",
        "/admin/agreements", "/api/v1/agreements/logins", "/api/v1/agreements/resting", "/admin/confirmations",
        "/api/v1/people/{heavy}/login",
        "/admin/outbox",
        "/admin/communities", "/admin/audit", "/admin/audit?verb=credit_record", "/admin/audit?person_id={heavy}",
        "/admin/audit?about_id={heavy}&since=2026-11-01",
        "/api/v1/audit",
        "/admin/audit?about_id={heavy}", "/admin/ledger/entries", "/admin/ledger/entries?person_id={heavy}&least=8",
        "/admin/ledger/entries?kind=reversal", "/admin/ledger/entries?least=500&since={day}&until={day}",
        "/api/v1/agreements", "/api/v1/agreements?status=agreed",
        "/admin/areas", "/admin/areas/{area}", "/admin/policies", "/admin/policies/{policy}", "/admin/workdays",
        "/admin/roles",
        "/admin/roles/new?person_id={heavy}", "/admin/rules", "/admin/rules/new", "/admin/rules/{rule}",
        "/api/v1/ledger/check", "/api/v1/service-records", "/api/v1/service-records?status=pending",
        "/api/v1/service-records?status=approved", "/api/v1/deeds", "/api/v1/deeds?status=credited",
        "/api/v1/redemptions", "/api/v1/redemptions?status=collected", "/api/v1/bookings",
        "/api/v1/me/statement?person_id={heavy}", "/api/v1/people", "/api/v1/people/{heavy}",
        "/api/v1/people/{heavy}/card.png", "/api/v1/people/{child}/guardians", "/api/v1/policies", "/api/v1/roles",
        "/api/v1/rules/{rule}/versions", "/api/v1/imports", "/api/v1/imports/{run}", "/api/v1/areas",
        "/api/v1/objections", "/api/v1/courses/{course}/stop", "/api/v1/stations/{station}/devices",
    ),
    "孙伟": ("/admin", "/admin/ledger"),
    "周敏": (
        "/desk", "/desk/stations", "/desk/shelf?station={station}", "/desk/devices?station={station}",
        "/desk/redemptions",
        "/desk/redemptions/{redemption}", "/desk/confirmations", "/api/v1/counter/confirmations",
        "/desk/bookings", "/desk/bookings/{booking}", "/api/v1/redemptions", "/api/v1/service-records",
        "/api/v1/bookings", "/api/v1/stations/{station}/code", "/api/v1/stations/{station}/code.png",
        "/api/v1/stations/{station}/code.svg",
    ),
    "陈明": ("/api/v1/deeds", "/api/v1/service-records"),
    "display": ("/display", "/display/code.json"),
    "counter": ("/desk", "/desk/sign-on", "/desk/confirmations", "/api/v1/counter/sign-on"),
}  # fmt: skip

UNREAD = {
    "/units": "one person's reporting-in", "/teams": "the teams and skills of a community by name, and one's own",
    "/teams/{}": "the members of one team", "/admin/units": "the units of a county by name",
    "/admin/units/{}": "one unit: its links, a page of who reported in, and a year of their service by person and time",
    "/admin/teams": "the teams of a community by name", "/admin/teams/{}": "the members of one team",
    "/admin/skills": "the skills of a community by name",
    "/admin/skills/{}": "who offers one skill, a page by its index",
    "/api/v1/units": "the units of a county by name, a page at a time",
    "/api/v1/units/{}/affiliations": "who has reported in from one unit, a page by its index",
    "/api/v1/units/{}/summary": "the service of one unit's people in a year at most, by person and time",
    "/api/v1/teams": "the teams of a community by name", "/api/v1/teams/{}/members": "the members of one team",
    "/api/v1/skills": "the skills of a community by name", "/api/v1/me/skills": "one person's skills",
    "/api/v1/skills/{}/offers": "who offers one skill, a page by its index",
    "/api/v1/helpers": "at most 500 findable people of one skill, by its index",
    "/work": "leads to where one works, without a statement of its own",
    "/admin/inbox/decisions/{}": "one decision by its key with its stored counts, and at most 200 refused rows",
    "/api/v1/people/{}/merge": "what two records have, counted up to a thousand rows each",
    "/activities/shifts/{}/code": "one shift by its key, and the code of this moment",
    "/activities/shifts/{}/code/now.json": "one shift by its key, and the code of this moment",
    "/admin/activities/{}/shifts/{}": "one shift by its key with at most 300 sign-ups",
    "/healthz": "reads nothing", "/readyz": "reads no table that grows", "/metrics": "reads nothing",
    "/static/{}": "a file", "/api/v1/schema": "made from the code", "/api/v1/schema/openapi.json": "made from the code",
    "/api/v1/schema/{}": "not found", "/sign-in": "reads nothing before somebody is known",
    "/password": "a form for one login", "/desk/pair/{}": "a form for one token", "/display/{}": "one token",
    "/board": "leads to one board, or lists communities",
    "/c/{}": "a code of this moment; the claim is written by its key", "/k/{}": "leads to the counter",
    "/p/{}": "leads to the counter", "/scans/{}": "one scan by its key",
    "/board/{}/{}/{}": "a form for one deed or record by its key",
    "/api/v1/agreements/{}": "one change by its key", "/api/v1/goods/{}/photo": "one photo by its key",
    "/api/v1/photos/{}": "one photo by its key", "/photos/{}": "one photo by its key",
    "/admin/imports/drafts/{}": "one draft of one session, swept after a day",
    "/admin/imports/{}/rows": "the report of one import by its key",
    "/admin/imports/drafts/{}/rows": "one draft of one session, swept after a day",
    "/admin/matters": "a page along an index by due date, counted up to 300; tests/matters",
    "/admin/matters/{}": "one matter by its key with its steps", "/admin/matters/categories": "a few dozen categories",
    "/admin/matters/categories/{}": "one category by its key",
    "/admin/matters/categories/new": "units, teams and activities of one community",
    "/admin/figures/matters": "stored totals, and what is open now; `make bench` reads them beside a million matters",
    "/api/v1/figures/matters": "stored totals, and what is open now",
    "/worker": "what is open in one grid, a page of each", "/worker/new": "categories and the areas of one grid",
    "/worker/matters/{}": "one matter by its key with its steps", "/worker/checks/{}": "one matter by its key",
    "/unit": "a page of one unit's open matters, by its index", "/unit/{}/{}": "one matter by its key with its steps",
    "/unit/{}/photos/{}": "one photo by its key",
    "/matters": "a page of one's own or of what one may take; tests/matters",
    "/matters/helped/{}": "one row by its key",
    "/matters/{}": "one matter by its key with its steps", "/matters/new": "categories and areas of one community",
    "/matters/order": "categories, areas and one household", "/matters/wishes": "a page of open wishes",
    "/matters/wishes/new": "areas and one household", "/desk/matters/new": "categories, areas and one person",
    "/desk/matters/{}": "one matter by its key", "/board/{}/matters": "sums of a month, and at most 20 rows twice",
    "/api/v1/board/matters": "the same", "/api/v1/board/figures": "the same",
    "/desk/wishes": "a page of wishes on their way by their index, and at most 100 gifts that wait here",
    "/desk/wishes/pickup": "one gift by its code", "/desk/wishes/{}": "one gift by the key of its wish",
    "/api/v1/matter-categories": "the categories of one community, a few dozen",
    "/api/v1/matters": "a page along an index of open matters by due date, or of one's own; tests/matters",
    "/api/v1/matters/{}": "one matter by its key with its steps", "/api/v1/matters/similar": "at most five",
    "/api/v1/matters/by-number/{}": "one matter by its number",
    "/admin/imports/drafts/{}/refused.xlsx": "one draft of one session, swept after a day",
}  # fmt: skip
"""Paths that are not in READERS, each with the bound on what it reads."""


async def headers_of_reader(town: Town, name: str, path: str) -> dict[str, str]:
    """The headers with which a reader of READERS requests a page or the API."""
    if name in ("counter", "display"):
        station = town.stations["暖蜂驿站"]
        async with operating():
            device = await devices.register_device(town.system(), station, name="屏", kind=name)
        if name == "counter":
            await kept_scope(town, device.token)
        if path.startswith("/api/"):
            return {"Authorization": f"Bearer {device.token}"}
        return {"Cookie": f"{DEVICE_COOKIE}={device.token}"}
    if path.startswith("/api/"):
        return await town.sign_in(name)
    return {"Cookie": f"{SESSION_COOKIE}={await town.token(name)}"}


async def places_of(town: Town, owner: asyncpg.Connection) -> dict[str, str]:
    """The ids for the braces in READERS: objects of 张桂兰, and a child with bookings in the care of 刘洋."""
    heavy, guardian = town.people["张桂兰"], town.people["刘洋"]

    async def one(sql: str, *values: object) -> UUID:
        found: UUID = await owner.fetchval(sql, *values)
        return found

    await owner.execute(
        "INSERT INTO card (community_id, id, person_id, epoch, issued_at, issued_by_login) "
        "VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT DO NOTHING",
        town.community, clock.new_id(), heavy, clock.now(), town.logins["赵丽"],
    )  # fmt: skip
    found: dict[str, object] = {
        "community": town.community, "station": town.stations["暖蜂驿站"], "good": town.goods["香皂"],
        "course": town.course, "activity": town.activities["站点值守"], "heavy": heavy, "guardian": guardian,
        "area": town.areas[f"{PHOENIX}/第一网格/3栋/1单元"], "rule": "mediation", "policy": "grace_days",
        "month": clock.local_day().replace(day=1), "day": clock.local_day(),
        "child": await one(
            "SELECT b.child_id FROM booking b JOIN guardianship g ON g.child_id = b.child_id AND g.guardian_id = $1",
            guardian,
        ),
        "booking": await one(
            "SELECT b.id FROM booking b JOIN guardianship g ON g.child_id = b.child_id AND g.guardian_id = $1", guardian
        ),
        "lesson": await one("SELECT lesson_id FROM booking LIMIT 1"),
        "entry": await one("SELECT entry_id FROM transfer WHERE kind = 'service' LIMIT 1"),
        "reversal": await one(
            "SELECT t.entry_id FROM transfer t JOIN deed d ON d.id = t.source_id AND d.person_id = $1 "
            "WHERE t.kind = 'reversal' LIMIT 1", heavy,
        ),
        "debt": await one(
            "SELECT t.entry_id FROM transfer t JOIN deed d ON d.id = t.source_id AND d.person_id = $1 "
            "WHERE t.kind = 'repayment' LIMIT 1", heavy,
        ),
        "visit": await one("SELECT id FROM visit WHERE person_id = $1 LIMIT 1", heavy),
        "record": await one(
            "SELECT id FROM service_record WHERE person_id = $1 AND status = 'approved' LIMIT 1", heavy,
        ),
        "entered": await one("SELECT id FROM service_record WHERE person_id = $1 AND visit_id IS NULL LIMIT 1", heavy),
        "deed": await one("SELECT id FROM deed WHERE person_id = $1 LIMIT 1", heavy),
        "redemption": await one("SELECT id FROM redemption WHERE person_id = $1 LIMIT 1", heavy),
        "objection": await one("SELECT id FROM objection LIMIT 1"),
        "run": await one("SELECT id FROM import_run LIMIT 1"),
    }  # fmt: skip
    return {name: str(value) for name, value in found.items()}
