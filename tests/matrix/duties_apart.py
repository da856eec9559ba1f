"""Routes and verbs without a line in docs/duties.md, with the reason: they credit, spend, grant and reveal nothing."""

OFFER = "what the community offers, by its administrators or, of shifts and lessons, its keepers; nobody's points move"
OWN = "one's own choice or duty; it moves no points and shows nobody else"
FORM = "an empty form, or the community's own rules and places"
PUBLIC = "what everybody of the community may read: offers, places, rules, prices"
DELIVERY = "of what the worker has decided to send already; what it is about stands whether it is delivered or not"
SERVICE = "tells how the service is, or is part of its pages; it has nobody's data"

UNIT = "which departments and firms there are and what they are to a community; nobody's points move"

TEAM = "which teams there are and which skills people may offer; nobody's points move"

OTHER_ROUTES = {
    "POST /api/v1/units": UNIT, "PATCH /api/v1/units/{unit_id}": UNIT, "POST /api/v1/units/{unit_id}/links": UNIT,
    "DELETE /api/v1/units/links/{link_id}": UNIT,
    "POST /admin/units": UNIT, "POST /admin/units/{unit_id}/links": UNIT,
    "POST /admin/units/{unit_id}/links/{link_id}/end": UNIT, "POST /admin/teams": TEAM,
    "POST /admin/teams/{team_id}": TEAM, "POST /admin/skills": TEAM, "POST /teams/skills/{skill_id}": OWN,
    "POST /teams/skills/{skill_id}/withdrawal": OWN, "POST /teams/free-times": OWN,
    "POST /api/v1/teams": TEAM, "PATCH /api/v1/teams/{team_id}": TEAM, "POST /api/v1/skills": TEAM,
    "PATCH /api/v1/skills/{skill_id}": TEAM, "PUT /api/v1/me/skills/{skill_id}": OWN,
    "DELETE /api/v1/me/skills/{skill_id}": OWN, "PUT /api/v1/me/free-times": OWN,
    "POST /admin/activities": OFFER, "POST /admin/activities/{activity_id}": OFFER, "POST /api/v1/activities": OFFER,
    "PATCH /api/v1/activities/{activity_id}": OFFER, "POST /admin/activities/{activity_id}/shifts": OFFER,
    "POST /api/v1/activities/{activity_id}/shifts": OFFER, "DELETE /api/v1/shifts/{shift_id}": OFFER,
    "POST /api/v1/shift-patterns": OFFER, "DELETE /api/v1/shift-patterns/{pattern_id}": OFFER,
    "POST /api/v1/shift-patterns/{pattern_id}/breaks": OFFER,
    "PUT /api/v1/shifts/{shift_id}/leader": "shows a code whose use is noted; the leader's own visit is reviewed",
    "POST /admin/activities/{activity_id}/shifts/{shift_id}/cancellation": OFFER, "POST /admin/classes": OFFER,
    "POST /api/v1/courses": OFFER, "POST /admin/classes/{course_id}/lessons": OFFER,
    "POST /api/v1/courses/{course_id}/lessons": OFFER, "POST /admin/stations": OFFER, "POST /api/v1/stations": OFFER,
    "POST /admin/goods/{good_id}/cost": "what a piece costs the community; no exchange depends on it",
    "POST /admin/goods/{good_id}/photo": OFFER, "PUT /api/v1/goods/{good_id}/photo": OFFER,
    "POST /admin/areas/{area_id}/name": "a name", "PATCH /api/v1/areas/{area_id}": "a name",
    "POST /admin/outbox/again": DELIVERY, "POST /admin/outbox/{parcel_id}/again": DELIVERY,
    "POST /admin/outbox/{parcel_id}/end": DELIVERY,
    "POST /admin/inbox": "keeps a choice; the worker decides each row as `review-hours` does, with the rights of then",
    "POST /admin/inbox/decisions/{decision_id}/undo": "nothing was decided yet",
    "POST /admin/inbox/reminder": "a message to those who may decide, once a day",
    "POST /admin/ledger/check": "asks the worker to check the books, which changes nothing in them",
    **dict.fromkeys((
        "POST /admin/activities/{activity_id}/patterns",
        "POST /admin/activities/{activity_id}/patterns/{pattern_id}/end",
        "POST /admin/activities/{activity_id}/patterns/{pattern_id}/breaks",
    ), OFFER),
    "POST /admin/activities/{activity_id}/shifts/{shift_id}/leader": "as by the API",
    **dict.fromkeys((
        "POST /activities/shifts/{shift_id}/offer", "POST /activities/shifts/{shift_id}/take-over",
        "POST /activities/patterns/{pattern_id}/standing", "POST /activities/patterns/{pattern_id}/standing-end",
    ), OWN),
    "POST /activities/shifts/{shift_id}/sign-up": OWN, "POST /activities/shifts/{shift_id}/withdrawal": OWN,
    "POST /api/v1/shifts/{shift_id}/sign-ups": OWN, "DELETE /api/v1/shifts/{shift_id}/sign-ups": OWN,
    "POST /api/v1/shifts/{shift_id}/offers": OWN, "POST /api/v1/shifts/{shift_id}/take-over": OWN,
    "PUT /api/v1/shift-patterns/{pattern_id}/standing": OWN,
    "DELETE /api/v1/shift-patterns/{pattern_id}/standing": OWN,
    "POST /api/v1/me/messages/{message_id}/read": OWN, "POST /messages/read": OWN, "POST /preferences": OWN,
    "DELETE /api/v1/sessions/current": "ends the own session", "POST /sign-out": "ends the own session",
    "POST /api/v1/photos": OWN, "POST /api/v1/deeds/{deed_id}/photos": OWN, "POST /deeds/{deed_id}/photos": OWN,
    "DELETE /api/v1/photos/{photo_id}": OWN, "POST /photos/{photo_id}/removal": OWN,
    "POST /scan": "reads a typed code and leads to its page, which checks nobody in",
    "POST /desk/sign-on/code": "names whoever shows the own code to the tablet; the password is asked for afterwards",
}  # fmt: skip

LOOKS = {
    "GET /": "one's own balance and what is to do for one's own roles", "GET /activities": PUBLIC,
    "GET /activities/regular": PUBLIC, "GET /activities/shifts/{shift_id}/code": "as the station's code by the API",
    "GET /activities/shifts/{shift_id}/code/now.json": "as the station's code by the API",
    "GET /admin/activities": PUBLIC, "GET /admin/activities/new": FORM, "GET /admin/areas": PUBLIC,
    "GET /admin/classes": PUBLIC, "GET /admin/classes/new": FORM, "GET /admin/deeds/catalogue": PUBLIC,
    "GET /admin/communities": "sums of whole communities, each for those who read everything there",
    "GET /admin/exports": "which lists can be saved",
    "GET /admin/goods": PUBLIC, "POST /admin/goods/search": PUBLIC, "GET /admin/goods/new": FORM,
    "GET /admin/outbox": "what could not be delivered, by its kind and its failure, without whom it concerns",
    "GET /admin/goods/{good_id}": PUBLIC,
    "GET /admin/people/new": FORM, "GET /admin/policies": PUBLIC, "GET /admin/policies/{name}": PUBLIC,
    "GET /admin/rules": PUBLIC, "GET /admin/rules/new": FORM, "GET /admin/rules/{code}": PUBLIC,
    "GET /admin/stations": PUBLIC, "GET /admin/stations/new": FORM, "GET /admin/workdays": PUBLIC,
    "GET /api/v1/activities": PUBLIC, "GET /api/v1/shift-patterns": PUBLIC,
    "GET /api/v1/activities/{activity_id}": PUBLIC, "GET /api/v1/activities/{activity_id}/shifts": PUBLIC,
    "GET /api/v1/areas": PUBLIC, "GET /api/v1/class-hours/quote": "what minutes would cost the asker",
    "GET /api/v1/counter/sign-on": "the keeper who is signed on to this very tablet", "GET /api/v1/courses": PUBLIC,
    "GET /api/v1/courses/{course_id}": PUBLIC, "GET /api/v1/courses/{course_id}/lessons": PUBLIC,
    "GET /api/v1/courses/{course_id}/stop": "how much a stop would give back, without names",
    "GET /api/v1/goods": PUBLIC, "GET /api/v1/goods/{good_id}": PUBLIC, "GET /api/v1/goods/{good_id}/photo": PUBLIC,
    "GET /api/v1/lessons/{lesson_id}": PUBLIC, "GET /api/v1/me/code": OWN, "GET /api/v1/me/code.png": OWN,
    "GET /api/v1/me/code.svg": OWN, "GET /api/v1/me/messages": OWN, "GET /api/v1/policies": PUBLIC,
    "GET /api/v1/rules": PUBLIC, "GET /api/v1/rules/{code}/versions": PUBLIC, "GET /api/v1/schema": SERVICE,
    "GET /api/v1/schema/openapi.json": SERVICE, "GET /api/v1/schema/{path}": SERVICE, "GET /api/v1/stations": PUBLIC,
    "GET /api/v1/stations/{station_id}": PUBLIC, "GET /board": "leads to a community's board", "GET /classes": OWN,
    "GET /classes/{course_id}": OWN, "GET /deeds": OWN, "GET /deeds/new": FORM, "GET /desk/shelf": PUBLIC,
    "GET /desk/sign-on": "the names of keepers who have served at this very tablet in the last 30 days",
    "GET /desk/stations": PUBLIC, "GET /family": OWN, "GET /goods": PUBLIC, "GET /goods/{good_id}": PUBLIC,
    "GET /healthz": SERVICE, "GET /k/{payload}": "tells nothing of a card's code", "GET /me/code": OWN,
    "GET /me/code.json": OWN, "GET /messages": OWN, "GET /metrics": SERVICE,
    "GET /p/{payload}": "tells nothing of a person's code", "GET /password": FORM, "GET /readyz": SERVICE,
    "GET /redemptions": OWN, "GET /scan": FORM, "GET /sign-in": FORM, "GET /static/{path}": SERVICE,
    "GET /sign-ins": OWN, "GET /visits": OWN, "GET /work": "leads to where one works",
    "GET /units": OWN, "GET /teams": OWN, "GET /admin/units": PUBLIC, "GET /admin/teams": PUBLIC,
    "GET /admin/skills": PUBLIC, "GET /api/v1/units": PUBLIC, "GET /api/v1/teams": PUBLIC, "GET /api/v1/skills": PUBLIC,
    "GET /api/v1/me/skills": OWN,
    "GET /api/v1/units/{unit_id}/summary": "sums, of five people or more outside the community",
    "GET /communities": "the names of the communities that one reaches",
}  # fmt: skip

_STEPS = (
    "dispatch", "hand-up", "hand-down", "take", "give-up", "return", "finish", "postponement", "refuse", "merge",
    "withdraw", "reopen", "area", "ask", "answer", "publish", "rating",
)  # fmt: skip
_PAGE_STEPS = (
    "answer", "question", "rating", "withdrawal", "reopening", "follow", "take", "giving-up", "return", "finish",
    "photos",
)  # fmt: skip
_GIFT_STEPS = ("receipt", "renewal", "giving-back", "collection")
GIFT = "earns nothing; whom a gift is for collects it by a code: tests/matters/test_wishes_at_the_station.py"
STEP = "a step of a matter: it earns nothing until it is confirmed; tests/matters plays every role in every status"
CHECK = "takes back what an untrue matter earned, by somebody who is no party: tests/matters/test_worker_pages.py"
OTHER_ROUTES |= {f"POST /api/v1/matters/{{matter_id}}/{step}": STEP for step in _STEPS} | {
    "POST /matters/new": STEP, "POST /matters/order": STEP, "POST /matters/wishes/new": STEP,
    "POST /desk/matters/new": STEP, "POST /desk/matters/{matter_id}/rating": STEP,
    **{f"POST /matters/{{matter_id}}/{step}": STEP for step in _PAGE_STEPS},
    **{f"POST /api/v1/matters/{{matter_id}}/{step}": GIFT for step in _GIFT_STEPS},
    **{f"POST /desk/wishes/{{matter_id}}/{step}": GIFT for step in (*_GIFT_STEPS, "undo")},
    "PUT /api/v1/matters/{matter_id}/follow": OWN, "POST /api/v1/matters": STEP,
    "POST /worker/new": STEP, "POST /unit/{community_id}/{matter_id}/{act}": STEP,
    "POST /admin/matters/categories/{code}": OFFER, "POST /admin/matters/categories": OFFER,
    "POST /worker/checks/{check_id}": CHECK,
    "PUT /api/v1/matter-categories/{code}": OFFER,
}  # fmt: skip
LOOKS |= {
    "GET /api/v1/matter-categories": PUBLIC,
    "GET /matters": OWN, "GET /matters/new": FORM, "GET /matters/order": FORM, "GET /matters/wishes": PUBLIC,
    "GET /matters/wishes/new": FORM, "GET /desk/matters/new": "the name of who stands at the counter, for its keeper",
    **dict.fromkeys(
        ("GET /desk/wishes", "GET /desk/wishes/pickup", "GET /desk/wishes/{matter_id}"),
        "what is wished for and its number, never for whom",
    ),
    "GET /admin/figures/matters": "sums", "GET /api/v1/figures/matters": "sums", "GET /worker/new": FORM,
    "GET /admin/matters/categories": PUBLIC, "GET /admin/matters/categories/{code}": PUBLIC,
    "GET /admin/matters/categories/new": FORM,
    "GET /unit/{community_id}/photos/{photo_id}": "a photo of a matter of the contact's unit",
    "GET /board/{community_id}/matters": "sums, and what was published without names",
    "GET /matters/helped/{helper_id}": "leads to the matter, which asks again",
    "GET /api/v1/board/matters": "what was published without names", "GET /api/v1/board/figures": "sums",
    "GET /api/v1/matters/similar": "that there is such a matter nearby, without words and names",
}  # fmt: skip

OTHER_VERBS = {
    **dict.fromkeys(
        (
            "answer_matter", "ask_matter", "close_matter", "correct_area", "dispatch_matter",
            "finish_matter", "give_up_matter",
            "hand_up_matter", "hand_down_matter", "merge_matter", "open_matter", "postpone_matter", "publish_matter",
            "rate_matter", "refuse_matter", "reopen_matter", "return_matter", "take_matter", "urge_matter",
            "matter_came_back", "untaken_matter", "withdraw_matter",
        ),
        STEP,
    ),
    **dict.fromkeys(
        (
            "receive_wish", "renew_wish", "give_back_gift", "collect_wish", "undo_wish_receipt", "undo_wish_collection",
        ),
        GIFT,
    ),
    "check_matter": CHECK, "put_category": OFFER, "undo_noted": "follows from a confirmation, which has a line",
    "forget_matters": "words go three years after the end",
    "add_activity": OFFER, "add_course": OFFER, "add_lesson": OFFER, "add_shift": OFFER, "add_station": OFFER,
    "add_pattern": OFFER, "add_break": OFFER, "end_pattern": OFFER, "write_shifts": OFFER,
    "name_shift_leader": "shows a code whose use is noted; the leader's own visit is reviewed",
    **dict.fromkeys(("stand", "stop_standing", "offer_seat", "keep_seat", "take_over"), OWN),
    "change_activity": OFFER, "offer_activity_again": OFFER, "set_photo": OFFER, "set_good_cost": OFFER,
    "rename_area": "a name",
    **dict.fromkeys(("found_team", "change_team", "add_skill", "change_skill"), TEAM),
    "offer_skill": OWN, "withdraw_skill": OWN, "step_down": OWN,
    **dict.fromkeys(("found_unit", "change_unit", "link_unit", "end_unit_link"), UNIT),
    **dict.fromkeys(("award_deed", "note_service", "undo_award"), "follows from a confirmation, which has a line"),
    "stop_import": "says that an import came to no end; what it has written stands under its own verbs",
    "ask_for_check": "asks the worker to check the books", "sign_up": OWN, "withdraw": OWN,
    **dict.fromkeys(("decide_many", "undo_decide_many"), "each row is decided by a verb that has a line"),
    "remind_deciders": "a message to those who may decide, once a day",
    "deliver_again": DELIVERY, "give_up_delivery": DELIVERY,
    "attach_photo": OWN, "remove_photo": OWN, "purge_photo": "a photo goes on the day that the community's rules say",
}  # fmt: skip

# Verbs that the test of their line does not record, with the test or line that records them.
SHOWN = {
    "change_course": "tests/classes/test_class_faults.py", "close": "tests/classes/test_class_endings.py",
    "close_forgotten": "the line of the worker", "correct_end": "the line of its own",
    "credit_record": "the lines of scanning and of the worker", "expire_class_hours": "tests/expiry/test_expiry.py",
    "fail_sign_in": "tests/access/test_sign_in_delays.py", "let_expire": "tests/expiry/test_expiry.py",
    "nominate_guardians": "tests/imports/reports/test_told_imports.py",
    "refuse_confirmation": "tests/presence/test_counter.py",
    "read_messages": "tests/people/test_panel_people.py", "undo_hand_over": "tests/shop/test_undone_hand_overs.py",
    "undo_check_out": "tests/presence/test_undone_visits.py",
    "undo_confirm_login": "tests/access/test_undone_confirmations.py",
    "undo_attend": "tests/classes/test_undone_attendance.py",
    "reject_record": "the line of reviews", "reverse_class_expiry": "tests/expiry/test_promised_days.py",
    "reverse_expiry": "tests/expiry/test_expiry.py", "seat": "tests/classes/test_bookings.py",
    "sign_in": "the line of signing in", "sign_out": "tests/access/test_access.py",
    "withdraw_activity": "tests/imports/runs/test_undo.py", "withdraw_area": "tests/imports/runs/test_undo.py",
    "withdraw_deed": "tests/imports/runs/test_undo.py", "withdraw_logins": "tests/imports/runs/test_undo.py",
    "withdraw_many": "tests/imports/runs/test_undo.py", "withdraw_nominations": "tests/imports/runs/test_undo.py",
    "withdraw_record": "tests/imports/runs/test_undo.py", "withdraw_roles": "tests/imports/runs/test_undo.py",
    "credit_deed": "the lines of deeds", "import_matter": "tests/imports/kinds/test_matter_books.py",
    "withdraw_matters": "tests/imports/kinds/test_matter_books.py",
    "withdraw_reported": "tests/imports/kinds/test_members.py",
    "end_booked": "tests/imports/kinds/test_later_books.py", "reopen_booked": "tests/imports/kinds/test_later_books.py",
    "enter_skill": "tests/imports/kinds/test_member_skills.py",
    "withdraw_entered": "tests/imports/kinds/test_member_skills.py",
}  # fmt: skip
