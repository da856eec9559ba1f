"""A person whom a change concerns is notified: each audit verb names its message or the reason why there is none."""

import ast
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.activities.test_activities import shift_of
from tests.deeds.test_deeds import MORNING, noticed
from tests.support.messages import texts
from tests.support.presence import card, nonce
from tests.support.shop import API, books_balance, points_of, reserve, stock_of
from tests.support.town import Town
from timebank.access.roles.grants import end_grant, grant
from timebank.access.schemas import GrantIn, GrantOut
from timebank.activities import shifts
from timebank.activities.calling_off import cancel_shift
from timebank.activities.changes import change_activity
from timebank.activities.schemas import ActivityChange
from timebank.cards.cards import issue_card, revoke_card
from timebank.core import clock
from timebank.core.capability import capabilities
from timebank.core.scope import Role
from timebank.objections.deciding import decide_objection
from timebank.objections.objecting import object_to
from timebank.overview.closing import StationHasLessons, change_station, count_closing_effects
from timebank.people.guardianship.guardians import end_guardianship, guardianships_of
from timebank.people.records import correct, set_person_status
from timebank.people.schemas import Correction
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn
from timebank.presence.undoing.visits import undo_check_in
from timebank.shop.goods import change_good
from timebank.shop.schemas import GoodChange
from timebank.stations.schemas import StationChange

ROOT = Path(__file__).parents[2]
OWN = "done by the person alone, who sees the outcome"
ALL = "concerns everybody alike: the page of rules, goods, places or activities shows it"
CLASSES = "tests/classes/test_class_endings.py and test_class_refunds.py show that families are told"
LOOK = "a look that changes nothing; administrators and auditors read it in the trail"
STAFF = "concerns the staff who do it, and nobody's points, hours or duties"
RUN = "a workbook as a whole: what it makes, and what is taken back with it, is told by the verb that does it"
BOOK = "whoever comes into the book or leaves it with a workbook has nowhere else to read of it"

# Each audit verb with the message or test that shows that people are notified, or the reason why it concerns nobody
# else. A verb of several nouns has a line for each noun.
TOLD = {
    "add_activity": ALL, "add_area": ALL, "add_course": ALL, "add_good": ALL, "add_lesson": ALL, "add_shift": ALL,
    "add_station": ALL, "change_policy": ALL, "set_rule": ALL, "set_photo": ALL, "rename_area": ALL,
    "found_region": ALL, "set_workday": ALL, "clear_workday": ALL, "count_stock": STAFF, "receive": STAFF,
    "register_device": STAFF, "renew_pairing": STAFF, "revoke_device": STAFF,
    "deliver_again": STAFF,
    "decide_many": STAFF, "undo_decide_many": STAFF, "remind_deciders": STAFF,
    "give_up_delivery": "the message itself stands on its reader's page",
    "rotate_key": STAFF, "ask_for_check": STAFF, "offer_activity_again": ALL,
    "withdraw_activity": "only one that nobody serves in and that has no shifts",
    "withdraw_area": "only one where nobody lives and over which nobody holds a role",
    "open_person": LOOK, "look_up": LOOK, "read_children": LOOK, "read_messages": LOOK, "export_list": LOOK,
    "undo_hand_over": "hand_over_undone", "end_sign_ins": "sign_ins_ended", "set_good_cost": STAFF,
    "read_code": "a station's code is nobody's; what is checked in by it afterwards is looked at",
    "pair_device": STAFF, "confirm_card": "it changes nothing of the card; its holder was told when it was issued",
    "identify": "somebody who stands at the counter has shown the own code",
    "sign_on": "the keeper did it by the own password, on a device that the audit names", "sign_off": OWN,
    "ask_confirmation": "confirmation_waits",
    "agree_confirmation": "spent_by_agreement",
    "refuse_confirmation": "nothing moves; who asked sees it at the counter",
    "import": RUN, "undo_import": RUN, "map_words": STAFF, "forget_word": STAFF, "stop_import": "import_stopped",
    "enrol": BOOK, "enrol_many": BOOK, "withdraw_many": BOOK,
    "ensure_logins": BOOK, "withdraw_logins": BOOK,
    "withdraw_record": "record_withdrawn", "withdraw_deed": "deed_withdrawn", "withdraw_roles": "role_ended",
    "nominate_guardians": "guardianship", "withdraw_nominations": "guardianship", "issue_missing_cards": "card",
    "book": OWN, "buy_class_hours": OWN, "sign_up": OWN, "withdraw": OWN, "move_class_hours": "class_moved",
    "reserve_for": "reserved_for", "book_for": "booked_for",
    "reserve": "by the person alone; at the counter it is handed over at once, which is told",
    "attend": "booking_attended", "undo_attend": "attendance_undone",
    "file_deed": "deed_filed", "record_service": "record_entered",
    "check_in": "checked_by_staff", "check_out": "checked_by_staff",
    "close_forgotten": "check_out_forgotten",
    "correct_end": "the decision about the corrected record is told",
    "give_one_time_code": "sign_in_code", "sign_in": OWN, "sign_out": OWN, "set_password": OWN,
    "fail_sign_in": "nothing happened to the person; anybody who knows a phone could send them messages without end",
    "credit_deed": "deed_credited", "credit_record": "record_credited", "approve_record": "record_credited",
    "reject_record": "record_rejected", "review_deed": "deed_rejected", "reverse_deed": "deed_reversed",
    "reverse_record": "record_reversed", "object": "deed_objected", "decide_objection": "objection_decided",
    "cancel redemption": "redemption_cancelled", "cancel booking": "booking_cancelled",
    "cancel lesson": "lesson_cancelled", "collect": "redemption_collected", "expire": "redemption_expired",
    "return_goods": "redemption_returned", "seat": "booking_seated", "close": "booking_closed",
    "add_pattern": ALL, "write_shifts": ALL, "add_break": "shift_cancelled", "end_pattern": "shift_cancelled",
    "stand": OWN, "stop_standing": OWN, "offer_seat": "seat_offered", "keep_seat": OWN, "take_over": "seat_taken_over",
    "name_shift_leader": "shift_leader",
    "cancel_shift": "shift_cancelled", "change_activity": "shift_cancelled", "change_station": "shift_cancelled",
    "change_good": "good_withdrawn", "change_course": CLASSES, "change_lesson": CLASSES, "stop_course": CLASSES,
    "refund_class_hours": CLASSES, "expire_class_hours": CLASSES, "reverse_expiry": "expiry_reversed",
    "reverse_class_expiry": CLASSES,
    "let_expire": "points_expiring", "grant_role": "role_granted",
    "end_role": "role_ended", "name_guardian": "guardianship", "record_consent": "guardianship",
    "withdraw_consent": "guardianship", "end_guardianship": "guardianship", "set_status": "status_changed",
    "correct_person": "person_corrected", "issue_card": "card", "revoke_card": "card",
    "undo_check_in": "check_in_undone", "undo_check_out": "check_out_undone",
    "propose": "the page of what waits shows it, and its deciders are reminded",
    "agree_membership": "the holder decided it, and every record of the login is told of it",
    "decline_membership": OWN,
    "decide_change": "change_decided", "confirm_login": "login_confirmed",
    "undo_confirm_login": "login_confirmed", "answer_as_witness": "witness_denied",
    "attach_photo": "the filer adds it, and whoever may see the deed sees it there", "paint_photo": STAFF,
    "publish_photo": STAFF, "remove_photo": OWN,
    "purge_photo": "nothing but the photo goes, on the day that the rules page names",
    "award_deed": "deed_filed", "undo_award": "deed_rejected", "note_service": "record_entered",
    "found_unit": ALL, "change_unit": ALL, "link_unit": ALL, "end_unit_link": ALL, "read_reported": LOOK,
    "found_team": ALL, "change_team": ALL, "add_skill": ALL, "change_skill": ALL, "offer_skill": OWN,
    "withdraw_skill": OWN, "step_down": OWN, "ask_to_join": "team", "confirm_member": "team",
    "leave_team": "team", "write_to_team": "team", "see_proof": "skill_proof_seen",
    "report_in": "reported_in", "leave_unit": "reported_in", "withdraw_reported": "reported_in",
    "import_matter": "it happened before the community used this; who reported an open one is notified when it is done",
    "withdraw_matters": RUN, "reopen_booked": RUN,
    "end_booked": "the later book is of what happened outside; its matter says so to whoever reported it",
    "enter_skill": "skill_entered", "withdraw_entered": "skill_entered",
    "undo_noted": "record_reversed",
    "answer_matter": "matter_answer", "ask_matter": "matter_question", "close_matter": "matter_closed",
    "check_matter": "an untrue one is told by what takes back what it earned",
    "confirm_matter": "what it earns is told by the verbs that write it; an untrue one is matter_untrue",
    "dispatch_matter": "matter_yours", "finish_matter": "matter_done", "give_up_matter": "matter_given_up",
    "hand_up_matter": "matter_to_dispatch", "hand_down_matter": "matter_to_dispatch", "merge_matter": "matter_merged",
    "open_matter": "matter_received", "postpone_matter": "matter_postponed", "rate_matter": "matter_rated",
    "receive_wish": "wish_waits", "renew_wish": "wish_waits", "collect_wish": "wish_collected",
    "undo_wish_receipt": "wish_waits", "undo_wish_collection": "wish_waits",
    "refuse_matter": "matter_refused", "reopen_matter": "matter_reopened", "return_matter": "matter_returned",
    "take_matter": "matter_taken", "urge_matter": "matter_urged", "untaken_matter": "matter_to_dispatch",
    "correct_area": "matter_corrected", "matter_came_back": "matter_moved", "give_back_gift": "wish_waits",
    "withdraw_matter": OWN, "read_matter": LOOK, "put_category": ALL,
    "publish_matter": "two sentences and painted pictures without names, for everybody of the community",
    "forget_matters": "words go three years after the end, as the rules page says; nothing else changes",
    "ask_witness": STAFF, "merge_people": "person_merged", "undo_merge": "merge_undone",
}  # fmt: skip

TREES = [
    ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "timebank").rglob("*.py"))
    if "demo" not in path.parts
]


def calls(*of: str, within: Sequence[ast.AST] = TREES) -> list[ast.Call]:
    """Every call in the service of a function with one of these names."""
    nodes = [node for tree in within for node in ast.walk(tree)]
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) in of]


def words(node: ast.AST) -> set[str]:
    """The string constants inside an expression."""
    return {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}


def values_of(tree: ast.Module, name: str) -> set[str]:
    """The values of a module's dictionary of this name."""
    found = [node.value for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name]
    assert len(found) == 1, f"{name} is no dictionary of the module"
    assert isinstance(found[0], ast.Dict)
    return set().union(*(words(value) for value in found[0].values))


def audited() -> set[str]:
    """Every audit verb, followed by its noun where it has several; also verbs that a caller passes as an argument."""
    found: dict[str, set[str]] = {}
    for tree in TREES:
        for function in (f for f in ast.walk(tree) if isinstance(f, ast.AsyncFunctionDef)):
            for call in calls("audit.record", "audit.record_many", "audit.record_of_login", within=[function]):
                is_login = ast.unparse(call.func) == "audit.record_of_login"
                verb, nouns = call.args[1], {"login"} if is_login else words(call.args[2]) or {""}
                if isinstance(verb, ast.Name):
                    number = [a.arg for a in function.args.args].index(verb.id)
                    passed = [words(c.args[number]) for c in calls(function.name, within=[tree])]
                    assert all(passed), f"{function.name} takes its verb from elsewhere"
                    verbs = set().union(*passed)
                elif isinstance(verb, ast.Subscript):
                    verbs = values_of(tree, ast.unparse(verb.value))
                else:
                    verbs = words(verb)
                for each in verbs:
                    found.setdefault(each, set()).update(nouns)
    return {v if len(of) == 1 else f"{v} {noun}" for v, of in found.items() for noun in of}


def test_each_verb_says_whom_it_tells() -> None:
    assert audited() - TOLD.keys() == set(), "say whom the new verb tells, or why it concerns nobody else"
    assert TOLD.keys() - audited() == set()


def test_the_messages_that_are_named_are_sent() -> None:
    declared = {kind.partition(".")[0] for one in capabilities() for kind in one.sentences}
    named = {kind for kind in TOLD.values() if kind.isascii() and " " not in kind}
    assert named - declared == set(), "tests/source/test_stored_sentences.py shows that what is declared is sent"


async def told(owner: asyncpg.Connection, town: Town, name: str, kind: str) -> list[str]:
    """The texts of a person's messages of one kind, oldest first."""
    return await texts(owner, "person_id = $1 AND kind = $2", town.people[name], kind, order="id")


async def signed_up(town: Town, *names: str) -> UUID:
    shift = await shift_of(town, seats=5)
    for name in names:
        await shifts.sign_up(await town.scope(name), shift)
    return shift


async def test_a_shift_that_is_called_off_is_told_to_those_who_signed_up(town: Town, owner: asyncpg.Connection) -> None:
    shift = await signed_up(town, "张桂兰", "李秀英", "陈明")
    await shifts.cancel_sign_up(await town.scope("陈明"), shift)
    for _ in range(2):
        await cancel_shift(await town.scope("周敏"), shift)
    for name, times in (("张桂兰", 1), ("李秀英", 1), ("陈明", 0)):
        texts = await told(owner, town, name, "shift_cancelled")
        assert len(texts) == times, name
        assert all("四点半辅导" in text and "暖蜂驿站" in text for text in texts)


async def test_an_activity_that_ends_calls_its_shifts_off(town: Town, owner: asyncpg.Connection) -> None:
    shift = await signed_up(town, "张桂兰")
    await change_activity(await town.scope("赵丽"), town.activities["四点半辅导"], ActivityChange(active=False))
    assert (await shifts.shift(town.system(), shift)).cancelled
    assert len(await told(owner, town, "张桂兰", "shift_cancelled")) == 1


async def test_a_station_that_closes_gives_back_what_waits_there_and_tells(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE lesson SET cancelled_at = now()")
    await town.give_points("张桂兰", 100)
    before = await stock_of(owner, town, "香皂")
    assert (await reserve(client, town, "张桂兰", "香皂")).status_code == 201
    await signed_up(town, "李秀英")
    station = town.stations["暖蜂驿站"]
    assert (await count_closing_effects(await town.scope("赵丽"), station)).reservations == 1
    address = f"{API}/stations/{station}"
    for _ in range(2):
        closed = await client.patch(address, json={"active": False}, headers=await town.sign_in("赵丽"))
        assert (closed.status_code, closed.json()["active"]) == (200, False)
    assert await points_of(town, "张桂兰") == (100, 0)
    assert await stock_of(owner, town, "香皂") == before
    assert len(await told(owner, town, "张桂兰", "redemption_cancelled")) == 1
    [text] = await told(owner, town, "李秀英", "shift_cancelled")
    assert text.startswith("暖蜂驿站停用了。")
    await books_balance(owner)


async def test_new_hours_of_a_station_are_told_to_those_who_are_expected_there(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 100)
    await reserve(client, town, "张桂兰", "香皂")
    await signed_up(town, "李秀英", "张桂兰")
    admin, station = await town.scope("赵丽"), town.stations["暖蜂驿站"]
    await change_station(admin, station, StationChange(opens_at="20:00", closes_at="02:00"))
    await change_station(admin, station, StationChange(name="暖蜂新驿站"))
    for name in ("张桂兰", "李秀英"):
        [text] = await told(owner, town, name, "station_changed")
        assert "20:00–次日 02:00" in text
    assert await told(owner, town, "陈明", "station_changed") == []


async def test_a_station_where_lessons_are_to_come_stays_open(town: Town, owner: asyncpg.Connection) -> None:
    station = town.stations["暖蜂驿站"]
    with pytest.raises(StationHasLessons):
        await change_station(await town.scope("赵丽"), station, StationChange(active=False))
    assert await owner.fetchval("SELECT active FROM station WHERE id = $1", station)


async def test_a_withdrawn_good_is_told_to_those_who_reserved_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 100)
    await reserve(client, town, "张桂兰", "香皂")
    for _ in range(2):
        await change_good(await town.scope("赵丽"), town.goods["香皂"], GoodChange(active=False))
    [text] = await told(owner, town, "张桂兰", "good_withdrawn")
    assert "香皂" in text
    assert "暖蜂驿站" in text
    assert await points_of(town, "张桂兰") != (100, 0), "the reservation stands"


async def test_a_role_that_is_given_or_ended_is_told_to_its_holder(town: Town, owner: asyncpg.Connection) -> None:
    asked = GrantIn(person_id=town.people["张桂兰"], role=Role.station_keeper, station_id=town.stations["暖蜂驿站"])
    made = await grant(await town.scope("赵丽"), asked)
    assert isinstance(made, GrantOut)
    for _ in range(2):
        await end_grant(await town.scope("赵丽"), made.id, "换人")
    [given] = await told(owner, town, "张桂兰", "role_granted")
    assert "「站长」的身份（暖蜂驿站）" in given
    assert await told(owner, town, "张桂兰", "role_ended") == ["您的「站长」身份结束了。原因：换人。"]


async def test_a_guardianship_that_ends_is_told_to_the_guardian(town: Town, owner: asyncpg.Connection) -> None:
    [found] = await guardianships_of(await town.scope("赵丽"), town.people["刘小雨"])
    await end_guardianship(await town.scope("赵丽"), found.id)
    [text] = await told(owner, town, "刘洋", "guardianship")
    assert "刘小雨" in text
    assert "已解除" in text


async def test_a_new_or_lost_card_is_told_to_its_holder(town: Town, owner: asyncpg.Connection) -> None:
    keeper = await town.scope("周敏")
    await issue_card(keeper, town.people["张桂兰"])
    await issue_card(keeper, town.people["张桂兰"])
    for _ in range(2):
        await revoke_card(keeper, town.people["张桂兰"])
    texts = await told(owner, town, "张桂兰", "card")
    assert ["原来的卡作废" in text for text in texts] == [False, True, False]


async def test_a_correction_and_a_block_are_told_without_the_values(town: Town, owner: asyncpg.Connection) -> None:
    admin = await town.scope("赵丽")
    await correct(admin, town.people["张桂兰"], Correction(phone="19900008888", room="102"))
    [text] = await told(owner, town, "张桂兰", "person_corrected")
    assert text == "社区更正了您的登记：手机号、住址。不对的话请找社区管理员。"
    await set_person_status(admin, town.people["张桂兰"], "blocked", "重复登记")
    await set_person_status(admin, town.people["张桂兰"], "active", None)
    assert ["已停用" in t for t in await told(owner, town, "张桂兰", "status_changed")] == [True, False]


async def test_a_check_in_that_is_undone_is_told(town: Town, owner: asyncpg.Connection) -> None:
    keeper = await town.scope("周敏")
    verdict = await scan(
        keeper, ScanIn(code=await card(town, owner, "张桂兰"), nonce=nonce(), station_id=town.stations["暖蜂驿站"])
    )
    assert verdict.visit is not None
    for _ in range(2):
        await undo_check_in(keeper, verdict.visit.id)
    [text] = await told(owner, town, "张桂兰", "check_in_undone")
    assert "不计时长" in text


async def test_an_objection_and_its_end_are_told_to_whose_deed_it_is(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        objection = await object_to(await town.scope("张桂兰"), "deed", deed.id, "那天他不在家")
    with clock.at(MORNING + timedelta(days=1)):
        await decide_objection(await town.scope("赵丽"), objection.id, False, "核对过监控，属实")
    assert len(await told(owner, town, "李秀英", "deed_objected")) == 1
    assert len(await told(owner, town, "李秀英", "deed_noticed")) == 1
