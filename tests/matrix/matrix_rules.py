"""The expected answer of every operation for every role.

A pattern has a letter for each of ROLES in tests/matrix/rounds.py, in the same order: y may, f forbidden (403), u
unseen (404), s sign in first. Its groups are: a stranger | the resident who owns the objects, a neighbour, a
guardian, a former guardian | unit head, building head, grid worker | keeper, keeper of another station |
administrator, auditor, street, county | of other communities: a resident, an administrator, another street's
administrator | counter, counter without a keeper, display. "May" is success or a refusal by a domain rule, such as
too few points. A role that may act in general but not on this object, such as for its own benefit, is forbidden.
"""

# The patterns of operations not named in RULES, by path: a new panel page is open to administrators by default.
GENERAL: tuple[tuple[str, str], ...] = (
    ("s ffff fff ff yyyy fyy fff", r"GET /admin(/[a-z/]+)?"),
    ("s ffff fff ff yyyy fuu fff", r"GET /admin/.*\{.*"),
    ("s ffff fff ff yfyy fuu fff", r"POST /admin/.*\{.*"),
    ("s ffff fff ff yfyy fyy fff", r"POST /admin/[a-z/]+"),
    (
        "s yyyy yyy yy yyyy yyy fff",
        r"GET /(activities|classes|deeds|family|goods|me|messages|password|redemptions|scan|statement|visits)[a-z/.]*",
    ),
)

RULES: dict[str, tuple[str, ...]] = {
    "s ffff fff ff yfyy fuu fff": (
        "POST /admin/imports/words",
        "POST /admin/imports/words/forgotten",
        "POST /admin/areas",
        "POST /admin/classes",
        "POST /admin/people",
        "GET /admin/people/{person_id}/correction",
        "GET /admin/people/{person_id}/reservation",
        "GET /admin/people/{person_id}/booking",
        "POST /admin/roles",
        "GET /admin/roles/new",
        "PATCH /api/v1/activities/{activity_id}",
        "POST /api/v1/areas",
        "PATCH /api/v1/areas/{area_id}",
        "POST /api/v1/courses",
        "PATCH /api/v1/courses/{course_id}",
        "GET /api/v1/courses/{course_id}/stop",
        "POST /api/v1/courses/{course_id}/stop",
        "POST /api/v1/deeds/{deed_id}/reversal",
        "DELETE /api/v1/guardianships/{guardianship_id}",
        "DELETE /api/v1/imports/{run_id}",
        "POST /api/v1/people",
        "GET /admin/people/{person_id}/merge",
        "POST /admin/people/{person_id}/merge/search",
        "GET /api/v1/people/{person_id}/merge",
        "POST /api/v1/people/{person_id}/merge",
        "DELETE /api/v1/people/{person_id}/merges/{merge_id}",
        "POST /api/v1/people/{person_id}/guardians",
        "POST /api/v1/roles",
        "DELETE /api/v1/roles/{grant_id}",
        "PATCH /api/v1/service-records/{record_id}",
        "POST /api/v1/service-records/{record_id}/reversal",
        "POST /api/v1/service-records/{record_id}/review",
        "POST /api/v1/stations/{station_id}/key",
    ),
    "y yyyy yyy yy yyyy yyy yyy": (
        "GET /",
        "GET /api/v1/board",
        "GET /api/v1/schema",
        "GET /api/v1/schema/openapi.json",
        "POST /api/v1/sessions",
        "GET /board",
        "GET /board/{community_id}",
        "GET /c/{payload}",
        "GET /desk/pair/{code}",
        "POST /desk/pair/{code}",
        "GET /display/{code}",
        "POST /display/{code}",
        "GET /healthz",
        "GET /k/{payload}",
        "GET /metrics",
        "GET /p/{payload}",
        "GET /preferences",
        "POST /preferences",
        "GET /readyz",
        "GET /sign-in",
        "POST /sign-in",
        "POST /sign-out",
        "GET /static/{path}",
    ),
    "s yyyy yyy yy yyyy yyy fff": (
        "POST /api/v1/photos",
        "GET /api/v1/activities",
        "GET /api/v1/areas",
        "GET /api/v1/courses",
        "GET /api/v1/deeds",
        "GET /api/v1/me",
        "GET /api/v1/me/balances",
        "GET /api/v1/me/code",
        "GET /api/v1/me/code.png",
        "GET /api/v1/me/code.svg",
        "GET /api/v1/me/messages",
        "POST /api/v1/me/password",
        "GET /api/v1/me/statement",
        "GET /api/v1/policies",
        "GET /api/v1/rules",
        "GET /api/v1/service-records",
        "DELETE /api/v1/sessions/current",
        "GET /api/v1/visits",
        "GET /communities",
        "GET /work",
        "POST /c/{payload}",
        "POST /messages/read",
        "POST /password",
        "POST /preferences/publication",
        "POST /scan",
    ),
    "s ffff fff ff yfyy fyy fff": (
        "GET /admin/activities/new",
        "GET /admin/classes/new",
        "GET /admin/goods/new",
        "GET /admin/people/duplicates",
        "GET /admin/people/new",
        "GET /admin/policies/{name}",
        "POST /admin/policies/{name}",
        "GET /admin/rules/new",
        "GET /admin/stations/new",
        "POST /api/v1/imports/deeds",
        "POST /api/v1/imports/goods",
        "POST /api/v1/imports/hours",
        "POST /api/v1/imports/residents",
        "GET /api/v1/people/duplicates",
        "PUT /api/v1/policies/{name}",
        "POST /api/v1/rules",
        "POST /api/v1/stations",
    ),
    "s ffff fff yf yfyy uuu fff": (
        "POST /admin/activities/{activity_id}/shifts/{shift_id}/cancellation",
        "POST /admin/classes/lessons/{lesson_id}/cancellation",
        "POST /admin/classes/lessons/{lesson_id}/change",
        "POST /admin/classes/{course_id}/lessons",
        "POST /admin/goods/{good_id}/counts",
        "POST /admin/goods/{good_id}/receipts",
        "POST /admin/stations/{station_id}/devices/{device_id}/end",
        "POST /api/v1/courses/{course_id}/lessons",
        "PATCH /api/v1/lessons/{lesson_id}",
        "POST /api/v1/lessons/{lesson_id}/cancellation",
        "DELETE /api/v1/shifts/{shift_id}",
        "DELETE /api/v1/stations/devices/{device_id}",
        "POST /api/v1/stations/devices/{device_id}/pairing",
        "GET /api/v1/stations/{station_id}/devices",
        "POST /api/v1/stations/{station_id}/devices",
    ),
    "s yyyy yyy yy yyyy uuu fff": (
        "POST /activities/shifts/{shift_id}/sign-up",
        "GET /api/v1/activities/{activity_id}",
        "GET /api/v1/activities/{activity_id}/shifts",
        "GET /api/v1/courses/{course_id}",
        "GET /api/v1/courses/{course_id}/lessons",
        "GET /api/v1/lessons/{lesson_id}",
        "POST /api/v1/shifts/{shift_id}/sign-ups",
        "GET /board/{community_id}/{kind}/{item_id}",
        "GET /goods/{good_id}",
        "POST /goods/{good_id}/reservation",
    ),
    "s ffff fff ff yyyy fyy fff": (
        "GET /admin/months/{month}",
        "GET /admin/months/days/{day}",
        "POST /admin/exports/{listed}",
        "POST /admin/audit/search",
        "POST /admin/find",
        "POST /admin/ledger/entries/search",
        "POST /admin/goods/redemptions/search",
        "POST /admin/reviews/search",
        "POST /admin/classes/search",
        "POST /admin/goods/search",
        "POST /admin/agreements/seen",
        "GET /api/v1/agreements",
        "GET /api/v1/agreements/logins",
        "GET /api/v1/agreements/resting",
        "GET /api/v1/audit",
        "GET /api/v1/imports",
        "GET /api/v1/ledger/check",
        "GET /api/v1/objections",
        "GET /api/v1/roles",
    ),
    "s ffff fff ff ffff fff yyf": (
        "DELETE /api/v1/counter/sign-on",
        "GET /api/v1/counter/sign-on",
        "POST /api/v1/counter/sign-on",
        "POST /desk/sign-off",
        "GET /desk/sign-on",
        "POST /desk/sign-on",
        "POST /desk/sign-on/code",
    ),
    "s uuyu uuu uu uuuu uuu fff": (
        "GET /classes/bookings/{booking_id}",
        "POST /classes/bookings/{booking_id}/cancellation",
        "GET /classes/{course_id}",
        "POST /classes/{course_id}/bookings",
        "POST /classes/{course_id}/hours",
        "POST /classes/{course_id}/move",
        "POST /classes/{course_id}/refund",
    ),
    "s yuuu uuu uu uuuu uuu fff": (
        "POST /activities/shifts/{shift_id}/withdrawal",
        "POST /api/v1/donations",
        "POST /api/v1/me/messages/{message_id}/read",
        "DELETE /api/v1/shifts/{shift_id}/sign-ups",
        "GET /redemptions/{redemption_id}",
        "GET /scans/{nonce}",
        "GET /statement/{entry_id}",
        "GET /visits/records/{record_id}",
    ),
    "s ffff fff yf yfyy uuu ysf": (
        "POST /api/v1/goods/{good_id}/counts",
        "POST /api/v1/goods/{good_id}/receipts",
        "GET /desk/shelf",
        "POST /desk/shelf/counts",
        "POST /desk/shelf/receipts",
        "POST /desk/visits/{visit_id}/undo",
        "POST /desk/check-outs/{visit_id}/undo",
    ),
    "s fuuu uuu yu yfyy uuu ysf": (
        "POST /api/v1/redemptions/{redemption_id}/collection",
        "POST /api/v1/redemptions/{redemption_id}/confirmation",
        "POST /api/v1/redemptions/{redemption_id}/return",
        "POST /desk/confirmations/redemptions/{redemption_id}",
        "POST /desk/redemptions/{redemption_id}/collection",
        "POST /desk/redemptions/{redemption_id}/undo",
    ),
    "s ffff fff ff ffyy fuu fff": (
        "POST /admin/agreements/{agreement_id}",
        "POST /admin/objections/{objection_id}",
        "POST /api/v1/agreements/{agreement_id}/decision",
        "POST /api/v1/objections/{objection_id}/decision",
    ),
    "s ffff fff yf yfyy fuu ysf": (
        "POST /api/v1/checkins",
        "POST /api/v1/counter/confirmations",
        "POST /desk/confirmations",
        "POST /desk/hand",
        "POST /desk/visits",
    ),
    "s uuyu uuu uu yuyy uuu fff": (
        "POST /admin/people/{person_id}/guardians/{guardianship_id}/consent",
        "DELETE /api/v1/guardianships/{guardianship_id}/consent",
        "POST /api/v1/guardianships/{guardianship_id}/consent",
        "POST /family/{guardianship_id}/consent",
    ),
    "s yyyy yyy yy yyyy yyy ysf": (
        "GET /api/v1/bookings",
        "POST /api/v1/bookings",
        "GET /api/v1/goods",
        "GET /api/v1/redemptions",
    ),
    "s ffff fff ff yfuu fuu fff": (
        "POST /admin/inbox/decisions/{decision_id}/undo",
        "GET /admin/imports/drafts/{draft_id}",
        "POST /admin/imports/drafts/{draft_id}",
        "POST /admin/imports/drafts/{draft_id}/words",
        "GET /admin/imports/drafts/{draft_id}/refused.xlsx",
        "GET /admin/imports/drafts/{draft_id}/rows",
    ),
    "s ffff fff ff yfyy fyu fff": (
        "POST /admin/activities",
        "POST /admin/rules/{code}",
        "POST /api/v1/activities",
    ),
    "s ffff fff ff yfyy uuu fff": (
        "PATCH /api/v1/stations/{station_id}",
    ),
    "s ffff fff yf yfyy uuu ysy": (
        "GET /api/v1/stations/{station_id}/code",
        "GET /api/v1/stations/{station_id}/code.png",
        "GET /api/v1/stations/{station_id}/code.svg",
    ),
    "s yuuu yyy uu yyyy uuu fff": (
        "GET /api/v1/deeds/{deed_id}",
        "GET /api/v1/deeds/{deed_id}/photos",
        "GET /api/v1/people/{person_id}",
        "GET /api/v1/photos/{photo_id}",
        "GET /deeds/{deed_id}",
        "GET /photos/{photo_id}",
    ),
    "f ffff fff ff ffff fff ffy": (
        "GET /display",
        "GET /display/code.json",
    ),
    "s ffff fff ff yfyy fuu fsf": (
        "PATCH /api/v1/goods/{good_id}",
        "PUT /api/v1/goods/{good_id}/photo",
    ),
    "s ffff fff ff yyyy fuu fff": (
        "GET /api/v1/agreements/{agreement_id}",
        "GET /api/v1/imports/{run_id}",
        "GET /api/v1/people/{person_id}/merges",
    ),
    "s ffff fff fy yfyy uuu fsf": (
        "POST /api/v1/counter/confirmations/{confirmation_id}/decision",
        "POST /desk/confirmations/{confirmation_id}",
    ),
    "s ffff fff yf yfyy fuu fff": (
        "POST /admin/activities/{activity_id}/shifts",
        "POST /api/v1/activities/{activity_id}/shifts",
        "GET /desk/devices",
        "POST /desk/devices",
        "POST /desk/devices/pairing",
    ),
    "s ffff fff yu yfyy fuf ysf": (
        "POST /desk/people",
        "POST /desk/scan",
    ),
    "s ffff fff yy yfyy fuu fff": (
        "POST /admin/people/{person_id}/card",
        "POST /admin/people/{person_id}/card/end",
    ),
    "s ffff fff yy yfyy fuu ysf": (
        "DELETE /api/v1/people/{person_id}/card",
        "POST /api/v1/people/{person_id}/card",
        "POST /desk/cards",
    ),
    "s ffff fff yy yfyy fyf ysf": (
        "GET /desk",
        "GET /desk/stations",
    ),
    "s ffff fff yy yfyy fyy ysf": (
        "GET /desk/bookings",
        "GET /desk/redemptions",
    ),
    "s ffff fff yy yyyy fyy ysf": (
        "GET /api/v1/counter/confirmations",
        "GET /desk/confirmations",
    ),
    "s ffff ffy ff yfyy uuu fff": (
        "POST /api/v1/deeds",
        "POST /deeds/new",
    ),
    "s ffff ffy ff yyyy fyy fff": (
        "GET /admin/deeds",
        "GET /admin/deeds/catalogue",
        "POST /admin/deeds/search",
    ),
    "s ffff ffy yf yfyy uuu fff": (
        "POST /admin/reviews/hours",
        "POST /api/v1/service-records",
    ),
    "s ffff ffy yy ffyy fuu fff": (
        "POST /admin/agreements/logins/{person_id}",
        "POST /admin/people/{person_id}/confirmation",
        "POST /desk/sign-in-code/confirmation",
        "POST /api/v1/agreements/logins/{person_id}",
    ),
    "s uufu uuu yu yfyy uuu ysf": (
        "POST /api/v1/bookings/{booking_id}/attendance",
        "POST /desk/bookings/{booking_id}/attendance",
        "POST /desk/bookings/{booking_id}/undo",
    ),
    "s uuyu uuu ff ffff uff fff": (
        "POST /api/v1/class-hours",
        "GET /api/v1/class-hours/quote",
    ),
    "s uuyu uuu ff yfyy uyy fff": (
        "POST /api/v1/class-hours/moves",
        "POST /api/v1/class-hours/refunds",
    ),
    "s uuyu uuu uu yyyy uuu fff": (
        "GET /api/v1/class-hours",
        "GET /api/v1/people/{person_id}/guardians",
    ),
    "s yuuu fff uu ffff uuu fff": (
        "POST /api/v1/deeds/{deed_id}/witness",
        "POST /deeds/{deed_id}/witness",
    ),
    "s yuuu uuu ff ffff uff fsf": (
        "POST /api/v1/redemptions",
        "POST /desk/redemptions",
    ),
    "s yuuu uuu yu yfyy uuu fff": (
        "POST /admin/goods/redemptions/{redemption_id}/cancellation",
        "POST /redemptions/{redemption_id}/cancellation",
    ),
    "s yuuu uuu yu yyyy uuu ysf": (
        "GET /api/v1/redemptions/{redemption_id}",
        "GET /desk/redemptions/{redemption_id}",
    ),
    "s yyyy fyy yy yyyy uuu fff": (
        "POST /api/v1/deeds/{deed_id}/objections",
        "POST /board/{community_id}/{kind}/{item_id}",
    ),
    "s yyyy yyy yy yyyy uuu ysf": (
        "GET /api/v1/goods/{good_id}",
        "GET /api/v1/goods/{good_id}/photo",
    ),
    "s yyyy yyy yy yyyy yyy yyf": (
        "POST /api/v1/checkins/batch",
        "POST /desk/scan/batch",
    ),
    "s ffff fff ff ffyy ffu fff": (
        "POST /admin/areas/regions",
    ),
    "s ffff fff ff fffy fff fff": (
        "POST /admin/workdays",
        "POST /admin/workdays/cleared",
    ),
    "s ffff fff ff yfyy fyy fsf": (
        "POST /api/v1/goods",
    ),
    "s ffff fff ff yyyy fyu fff": (
        "GET /admin/rules/{code}",
    ),
    "s ffff fff fy yfyy fyy fff": (
        "POST /admin/presence",
    ),
    "s ffff fff fy yfyy uuu fff": (
        "POST /admin/confirmations/{confirmation_id}",
    ),
    "s ffff ffy ff yfyy fuu fff": (
        "POST /admin/deeds/{deed_id}/review",
    ),
    "s ffff ffy ff yfyy fyy fff": (
        "GET /admin/reviews/hours",
        "POST /admin/reviews/hours/search",
    ),
    "s ffff ffy ff yyyy fuu fff": (
        "GET /admin/deeds/{deed_id}",
    ),
    "s ffff ffy yy yfyy uuu fff": (
        "POST /api/v1/people/{person_id}/sign-in-code",
        "POST /desk/sign-in-code",
    ),
    "s ffff yyy ff yyyy fyy fff": (
        "GET /admin/people",
        "POST /admin/people/search",
    ),
    "s ffff yyy ff yyyy fyy fsf": (
        "GET /api/v1/people",
    ),
    "s fuuu ffy uu yfyy uuu fff": (
        "POST /api/v1/deeds/{deed_id}/review",
        "POST /api/v1/photos/{photo_id}/publication",
        "POST /photos/{photo_id}/publication",
    ),
    "s fuuu uuu uu yfyy uuu fff": (
        "PATCH /api/v1/people/{person_id}",
    ),
    "s fuuu uuu yu yfyy uuu fff": (
        "POST /admin/goods/redemptions/{redemption_id}/return",
    ),
    "s fyyy yyy yy yyyy uuu fff": (
        "POST /api/v1/service-records/{record_id}/objections",
    ),
    "s uufu uuu yu yfyy uuu fff": (
        "POST /admin/classes/lessons/{lesson_id}/attendance",
    ),
    "s uuuu uuu uu uuuu uuu fff": (
        "POST /visits/{visit_id}/objection",
        # The community of the round has not switched matters on: there are none, for nobody.
        "POST /api/v1/matters/{matter_id}/dispatch",
        "POST /api/v1/matters/{matter_id}/hand-up",
        "POST /api/v1/matters/{matter_id}/hand-down",
        "POST /api/v1/matters/{matter_id}/take",
        "POST /api/v1/matters/{matter_id}/give-up",
        "POST /api/v1/matters/{matter_id}/return",
        "POST /api/v1/matters/{matter_id}/finish",
        "POST /api/v1/matters/{matter_id}/confirm",
        "POST /api/v1/matters/{matter_id}/postponement",
        "POST /api/v1/matters/{matter_id}/refuse",
        "POST /api/v1/matters/{matter_id}/merge",
        "POST /api/v1/matters/{matter_id}/withdraw",
        "POST /api/v1/matters/{matter_id}/reopen",
        "POST /api/v1/matters/{matter_id}/ask",
        "POST /api/v1/matters/{matter_id}/answer",
        "POST /api/v1/matters/{matter_id}/publish",
        "PUT /api/v1/matters/{matter_id}/follow",
        "GET /api/v1/matters",
        "PUT /api/v1/matter-categories/{code}",
    ),
    "s uuyu uuu ff yfyy uuu fff": (
        "POST /admin/classes/{course_id}/refund",
    ),
    "s uuyu uuu yu yfyy uuu ysf": (
        "DELETE /api/v1/bookings/{booking_id}",
    ),
    "s uuyu uuu yu yyyy uuu ysf": (
        "GET /desk/bookings/{booking_id}",
    ),
    "s fuuu yff uu ffff uuu fff": (
        "POST /api/v1/deeds/{deed_id}/photos",
        "POST /deeds/{deed_id}/photos",
        "DELETE /api/v1/photos/{photo_id}",
        "POST /photos/{photo_id}/removal",
    ),
    "s fuuu yfy uu yfyy uuu fff": (
        "POST /photos/{photo_id}/paint",
        "PUT /api/v1/photos/{photo_id}/paint",
    ),
    "s yuuu uuu uu yyyy uuu fff": (
        "GET /visits/{visit_id}",
    ),
    "s yuuu uuu yu uuuu uuu fff": (
        "GET /admin/people/{person_id}/card.png",
    ),
    "s yuuu uuu yu uuuu uuu ysf": (
        "GET /api/v1/people/{person_id}/card.png",
    ),
    "s yuuu uuu yu yfyy uuu ysf": (
        "DELETE /api/v1/redemptions/{redemption_id}",
    ),
    "s yuuu uuy yu yyyy uuu fff": (
        "GET /api/v1/service-records/{record_id}",
    ),
    "s yuyy fyy yy yyyy uuu fff": (
        "POST /deeds/{deed_id}/objection",
    ),
    "s yyyy yyy yy yyyy uuu ysy": (
        "GET /api/v1/stations/{station_id}",
    ),
    "s yyyy yyy yy yyyy yyu fff": (
        "GET /api/v1/rules/{code}/versions",
    ),
    "s yyyy yyy yy yyyy yyy ysy": (
        "GET /api/v1/stations",
    ),
    "s uyuu uuu uu uuuu uuu fff": (
        "POST /api/v1/me/memberships/{community_id}/{person_id}",
    ),
    "s uyuu uuu uu uuuu uuu sss": (
        "POST /memberships",
    ),
    "s ffff ffy yy ffyy fff fff": (
        "POST /admin/agreements/logins",
    ),
    "s ffff ffy yy yyyy fuu ysf": (
        "GET /api/v1/people/{person_id}/login",
    ),
    "s uuuu uuu uu uuuu uuu usf": (
        "GET /api/v1/matter-categories",
        "POST /api/v1/matters",
        "GET /api/v1/matters/similar",
        "GET /api/v1/matters/by-number/{number}",
        "GET /api/v1/matters/{matter_id}",
        "POST /api/v1/matters/{matter_id}/rating",
    ),
    "u uuuu uuu uu uuuu uuu uuu": (
        "GET /api/v1/schema/{path}",
    ),
}  # fmt: skip

_OFF = "the community of the round has not switched matters on; tests/matters does"
NEVER_DONE = {
    **{name: _OFF for told, names in RULES.items() if told.startswith("s uuuu uuu uu uuuu") for name in names},
    "POST /admin/ledger/expiry": "nothing waits to expire in the round; tests/expiry/test_expiry.py lets it",
    "POST /admin/ledger/{entry_id}/day-reversal": "the entry is no expiry; tests/expiry/test_expiry.py reverses one",
    "GET /api/v1/schema/{path}": "there is no such page: the schema is one file",
    "POST /desk/redemptions/{redemption_id}/undo": "nothing was handed over; tests/shop/test_undone_hand_overs.py does",
    "POST /desk/bookings/{booking_id}/undo": "nobody has attended lately; tests/classes/test_undone_attendance.py",
    "POST /desk/check-outs/{visit_id}/undo": "nobody has left lately; tests/presence/test_undone_visits.py",
    "POST /desk/visits": "nobody was scanned a moment ago; tests/presence/test_presence_pages.py checks in so",
    "POST /visits/{visit_id}/objection": "the visit has no record yet; tests/deeds/test_objections.py objects to one",
}
"""Operations that no request of the round succeeds in, with the test in which they succeed or the reason."""

OWN_WORDS = {
    "POST /api/v1/sessions": "the keeper's own phone and password were sent",
    "POST /api/v1/imports/hours": "the report quotes the workbook that was sent",
    "POST /api/v1/imports/deeds": "the report quotes the workbook that was sent",
}
"""Operations whose answer repeats to an outsider a resident's name that the outsider's own request identified."""
