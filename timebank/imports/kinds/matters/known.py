"""Which rows of a book are matters that are here already, and what becomes of them.

A matter that an earlier book left open ends as a later one says. Nothing else of it is changed: a row that says
something else is left alone with the reason, as rows of the other kinds are.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from timebank.core import clock
from timebank.core.scope import Scope
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.intake import Intake
from timebank.imports.kinds.matters.judging import Categories, lies_elsewhere
from timebank.imports.kinds.matters.read import BookRow, identity_of
from timebank.imports.words.buildings import Buildings
from timebank.matters.opening.later_books import Booked, BookMatterHandled, booked_matters

Row = tuple[str, int]
"""Sheet and row."""
LEFT_ALONE = frozenset({
    "known_matter_differs", "matter_open_again", "matter_entered_here", "matter_drop_unclear", "done_before_received",
    BookMatterHandled.code,
})  # fmt: skip
"""The reasons for which a known matter is not changed as its row says."""


@dataclass(frozen=True, slots=True)
class Known:
    """The matters of a book that are here already, by row. `by_words` are the rows that no number or key led to.

    `unclear` are the rows that may mean several matters, with how many.
    """

    found: Mapping[Row, Booked]
    by_words: Collection[Row]
    unclear: Mapping[Row, int]


async def known_matters(scope: Scope, intake: Intake, town: Buildings, rows: Sequence[BookRow]) -> Known:
    """Find the matter of each row: by what an earlier book has stored, by the number, else by day, place and words."""
    keys = {(row.sheet, row.row): intake.key(*identity_of(row)) for row in rows}
    entered = await intake.known(keys.values())
    numbers = [row.number for row in rows if row.number]
    said_on = {(clock.local_day(row.received_at), row.said) for row in rows if keys[row.sheet, row.row] not in entered}
    booked = await booked_matters(scope, entered.values(), numbers, sorted(said_on))
    by_id, by_number = {one.id: one for one in booked}, {one.external_number: one for one in booked}
    found: dict[Row, Booked] = {}
    for row in rows:
        there = by_id.get(entered.get(keys[row.sheet, row.row], clock.new_id()))
        there = there or (by_number.get(row.number) if row.number else None)
        if there is not None:
            found[row.sheet, row.row] = there
    return _with_alike(town, rows, found, booked)


def _with_alike(
    town: Buildings, rows: Sequence[BookRow], found: dict[Row, Booked], booked: Sequence[Booked]
) -> Known:  # fmt: skip
    """Look among the matters that no other row means for those of the same day, place and words."""
    taken = {one.id for one in found.values()}
    alike: dict[tuple[date, str], list[Booked]] = {}
    for one in booked:
        if one.id not in taken and one.is_imported:
            alike.setdefault((clock.local_day(one.received_at), one.said), []).append(one)
    by_words: set[Row] = set()
    unclear: dict[Row, int] = {}
    for row in rows:
        if (row.sheet, row.row) in found:
            continue
        same = [
            one
            for one in alike.get((clock.local_day(row.received_at), row.said), ())
            if None in (row.number, one.external_number) and not lies_elsewhere(town, row, one.area_id, one.place)
        ]
        if len(same) == 1:
            found[row.sheet, row.row] = same[0]
            by_words.add((row.sheet, row.row))
        elif same:
            unclear[row.sheet, row.row] = len(same)
    twice = Counter(found[where].id for where in by_words)
    for where in [where for where in by_words if twice[found[where].id] > 1]:
        unclear[where] = twice[found.pop(where).id]
        by_words.remove(where)
    return Known(found, by_words, unclear)


def is_to_end(row: BookRow, there: Booked) -> bool | Problem:
    """Whether a known matter ends as its row says; a problem says why it is left alone."""
    if not row.has_ended:
        return problem("matter_open_again", number=there.number) if there.is_imported and not there.is_open else False
    if not there.is_open:
        return False
    if not there.is_imported:
        return problem("matter_entered_here", number=there.number)
    if not there.waits:
        return refusal(BookMatterHandled(number=there.number))
    if row.dropped == "unclear":
        return problem("matter_drop_unclear", number=there.number)
    if row.done_at is not None and clock.local_day(row.done_at) < clock.local_day(there.received_at):
        return problem("done_before_received")
    return True


def differing(row: BookRow, there: Booked, categories: Categories, town: Buildings) -> list[str]:
    """The columns in which a row differs from its matter, if that stands as a book left it; it is not changed."""
    if not there.is_imported or there.used:
        return []
    category = categories.of(row.category)
    differs = {
        "said": row.said != there.said,
        "category": bool(row.category) and not isinstance(category, Problem)
        and category[0].code != there.category_code,
        "grid|building|spot": lies_elsewhere(town, row, there.area_id, there.place),
    }  # fmt: skip
    if not there.is_open and row.has_ended:
        differs |= {
            "state": (row.dropped or "closed") != _ended_as(there),
            "out": _day_differs(row, there),
            "result": row.result is not None and row.result != there.result,
            "satisfied": row.answer is not None and there.reporter_id is not None and not there.answered,
        }
    return [column for column, is_other in differs.items() if is_other]


def _ended_as(there: Booked) -> str:
    return (there.refused_because or "") if there.status == "refused" else there.status


def _day_differs(row: BookRow, there: Booked) -> bool:
    if row.done_at is None or there.done_at is None:
        return False
    return clock.local_day(row.done_at) != clock.local_day(there.done_at)
