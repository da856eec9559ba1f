"""Reads query plans: what a statement reads in a grown community, and whether a page may read as much."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

GROWS = {
    "account", "attachment", "audit", "booking", "claim", "class_payment", "class_purchase", "counter_confirmation",
    "counter_sign_on", "debt", "deed", "expiry_announcement", "export_day", "household_month", "household_move",
    "idempotent_request", "import_row", "import_run", "lesson", "mass_decision", "mass_decision_item", "matter",
    "matter_follow", "matter_helper", "matter_step", "membership_question", "message", "objection", "one_time_code",
    "outbox", "person_merge", "person_merge_row", "photo", "rating", "redemption", "scan", "service_record", "session",
    "shift", "sign_up", "spending_rest", "spot_check", "stock_move", "transfer", "undone_act", "visit",
    "waiting_change", "wish_gift",
}  # fmt: skip
"""Tables that grow with use, without a bound."""
STAYS = {
    "activity": "as many as a community offers", "affiliation": "one a person who reported in, and former ones",
    "area": "as many as there are doors", "book_check": "one a community", "books_closed": "one a community",
    "card": "one a person, and those that were lost", "code_reading": "swept after a day",
    "community_figures": "one a community", "course": "as many as a community offers",
    "day_total": "a few a day: the stored totals themselves", "device": "a few a station",
    "free_time": "at most 21 a person", "good": "as many as a community offers", "good_price": "a few a good",
    "guardianship": "as many as there are parents", "household": "as many as there are doors",
    "import_draft": "swept after a day", "import_word": "as many as a community's books have words of their own",
    "import_work": "one of a community", "installation": "one", "known_browser": "a few a login",
    "login": "one a person", "matter_category": "some thirty a community", "matter_counted": "one a community",
    "matter_tally": "a few dozen a day: stored totals", "matter_tally_week": "a few dozen a week: stored totals",
    "membership": "one a person", "migration": "one a version",
    "month_service": "a few dozen a month: stored totals", "pattern_break": "a few a pattern",
    "person": "as many as live there", "person_skill": "a few a person",
    "pickup": "one for each thing that waits at a counter", "policy": "a few a community",
    "region": "as many as there are communities", "role_grant": "as many as there are offices",
    "rule": "a few a community", "shift_pattern": "a few an activity", "sign_in_failure": "swept after a day",
    "sign_in_suspect": "swept after a day", "skill": "as many as a community lists",
    "standing": "as many as stand for a pattern", "station": "a few a community", "stock": "one a good and station",
    "team": "as many as a community has", "team_member": "one a member of a team", "throttle": "swept after a day",
    "unit": "as many as a county has", "unit_link": "a few a unit",
    "workday": "some thirty a year, and what counties set by hand",
}  # fmt: skip
"""Tables whose size does not depend on time, each with its bound."""

# Rows that a statement may read of growing tables (of 220,000 transfers and 50,000 records): enough for a page, a day,
# a month, or what waits for somebody.
ROWS_MAX = 3_000
PAGE = 201  # rows of the longest page and one more, which shows that there is a next page; at most one sum for each
SMALL = 500  # rows up to which the planner may scan a whole table, if it would use an index on a large one


@dataclass(frozen=True)
class Bound:
    """An index by which a sum or a count may read a growing table, if the scan has all of these conditions."""

    index: str
    conditions: tuple[str, ...]
    why: str

    def holds(self, index: str, condition: str) -> bool:
        return index == self.index and all(part in condition for part in self.conditions)


SUMMED = (
    Bound("account_expiry", ("expires_on <",), "what should have expired and waits for a person"),
    Bound("account_held", (), "what is set aside now"),
    Bound("account_minutes_left", ("subject_id =",), "the children who have minutes of one course left"),
    Bound("account_pkey", ("id =",), "one account for each row before it, which PAGE bounds"),
    Bound("account_unique", ("owner_id =",), "the accounts of one owner"),
    Bound("booking_lesson_line", ("lesson_id =",), "the seats of one lesson"),
    Bound("booking_one_active", ("lesson_id =",), "the seats of one lesson"),
    Bound("class_payment_pkey", ("purchase_id =",), "the accounts that paid one purchase"),
    Bound("class_purchase_course_id", ("course_id =", "child_id ="), "what was bought for one child in one course"),
    Bound("counter_confirmation_waiting", ("asked_at >=",), "what was asked at the counters today and waits"),
    Bound("counter_sign_on_time", ("device_id =", "signed_on_at >"), "who served at one tablet in the last 30 days"),
    Bound("debt_entry", ("entry_id =",), "the debts of one entry"),
    Bound("debt_open", ("owner_id =",), "what one person owes now"),
    Bound("debt_owed", (), "what is owed now"),
    Bound("deed_status_time", ("'{filed,objected}'",), "what waits for a review or a decision"),
    Bound("deed_status_time", ("'filed'",), "what waits for a review"),
    Bound("lesson_course_end", ("course_id =", "ends_at >"), "the lessons of one course that are to come"),
    Bound("lesson_course_time", ("course_id =", "starts_at >"), "the lessons of one course that are to come"),
    Bound("sign_up_once", ("shift_id =",), "the seats of one shift, for each shift of a page"),
    Bound("message_unread", ("person_id =",), "what one person has not read yet"),
    Bound("objection_open", (), "what waits for a decision"),
    Bound("outbox_dead", (), "what could not be delivered"),
    Bound("outbox_due", (), "what waits to be delivered"),
    Bound("redemption_due", ("'reserved'",), "what waits to be collected"),
    Bound("redemption_station_status", ("station_id =", "'reserved'"), "what waits to be collected at one station"),
    Bound("service_record_person_time", ("person_id =", "started_at >="), "one person's hours since a day"),
    Bound("import_row_noun", ("noun_id =",), "the import of one record that waits"),
    Bound("undone_act_newest", ("undone_at >",), "what keepers have undone in the last 30 days"),
    Bound("service_record_waiting", (), "what waits for a review"),
    Bound("service_record_status_time", ("'pending'",), "what waits for a review"),
    Bound("shift_station_time", ("station_id =", "starts_at >"), "the shifts at one station that are to come"),
    Bound("transfer_credit", ("credit_account =", "posted_at >="), "what one account got since a day"),
    Bound("transfer_debit", ("debit_account =", "posted_at >="), "what one account gave since a day"),
    Bound("transfer_entry", ("entry_id =",), "the legs of one entry"),
    Bound("transfer_pkey", (".id =",), "one transfer for each row before it, which PAGE bounds"),
    Bound("transfer_reversed_once", ("reverses =",), "what reversed one transfer"),
    Bound("visit_address", ("in_address =", "in_at >", "in_at <"), "who came by one network within a minute"),
    Bound("visit_one_open", (), "who is at a station now"),
    Bound("visit_station_time", ("station_id =", "in_at >"), "who came to one station since a moment"),
    Bound("objection_waiting", (), "what waits for a decision"),
    Bound("waiting_change_one_open", (), "what waits for another person"),
)
"""What a sum or a count may read of a growing table, at most PAGE times in one statement."""

SUMS = ("Aggregate", "Group", "WindowAgg")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_read(node: dict[str, Any]) -> float:
    """The number of rows that a scan has read, including those it filtered out."""
    removed: float = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return rows


def history_read(plan: dict[str, Any], grows: Collection[str] = GROWS) -> list[str]:
    """The reasons why a plan reads more of growing tables than a page may; empty when it does not."""
    wrong, rows = [], 0.0
    for node in nodes(plan):
        if node.get("Relation Name") not in grows or node["Node Type"] == "ModifyTable":
            continue
        rows += rows_read(node)
        if node["Node Type"] == "Seq Scan" and node["Actual Loops"]:
            wrong.append(f"reads the whole of {node['Relation Name']}")
    return [*wrong, *summed(plan, grows), *([f"reads {rows:.0f} rows of tables that grow"] if rows > ROWS_MAX else [])]


def summed(plan: dict[str, Any], grows: Collection[str], *, sums: bool = False) -> Iterator[str]:
    """The scans of growing tables whose rows are summed, counted or grouped without a bound in SUMMED.

    A LIMIT below the sum counts as a bound.
    """
    sums = plan["Node Type"] != "Limit" and (sums or plan["Node Type"] in SUMS)
    if sums and plan.get("Relation Name") in grows and plan["Actual Loops"]:
        found = [(each.get("Index Name", ""), each.get("Index Cond", "")) for each in nodes(plan)]
        if not any(bound.holds(index, condition) for index, condition in found for bound in SUMMED):
            yield f"sums {plan['Relation Name']} along {[each for each in found if each[0]]}"
        if max(plan["Actual Loops"], *(asked(condition) for _, condition in found)) > PAGE:
            yield f"sums {plan['Relation Name']} more than {PAGE} times"
    for part in plan.get("Plans", ()):
        yield from summed(part, grows, sums=sums)


def asked(condition: str) -> int:
    """The number of values in the index condition's longest `= ANY` list, else 1."""
    lists = [given.count(",") + 1 for given in re.findall(r"ANY \('\{([^}]*)\}'", condition)]
    return max(lists, default=1)


@dataclass(frozen=True)
class Call:
    """A call of one of our SQL functions in a plan, with the text of its arguments."""

    name: str
    arguments: str


def calls(plan: dict[str, Any], names: Collection[str]) -> set[Call]:
    """The calls of these functions anywhere in a plan: as a table, in a condition, in the output."""
    pattern = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\(")
    found = set()
    for node in nodes(plan):
        for text in texts({key: value for key, value in node.items() if key != "Plans"}):
            for match in pattern.finditer(text):
                found.add(Call(match[1], _inside(text, match.end())))
    return found


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def _inside(text: str, start: int) -> str:
    """The text up to the matching closing parenthesis; assumes that literals contain no parentheses."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at]
    raise AssertionError(text)
