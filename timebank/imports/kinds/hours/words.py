"""Look up the activities and places of sign-in sheets, and collect the words that somebody has to decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank.core import names
from timebank.imports.cells.problems import problem
from timebank.imports.intake import Intake
from timebank.imports.kinds.hours.judging import person_of
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.sheets.parsed import Parsed, UnknownUse
from timebank.imports.words.asking import first_of
from timebank.imports.words.named import NameIndex, activities_of, stations_of
from timebank.imports.words.own_words import barred
from timebank.imports.words.words import key_of

Where = tuple[str, int, int]
"""A service's position in the file: sheet, row and part."""


@dataclass(slots=True)
class Meant:
    """The activity and the station of each service, if its word has a meaning yet."""

    activities: dict[Where, UUID] = field(default_factory=dict)
    stations: dict[Where, UUID] = field(default_factory=dict)


async def resolve_words(
    intake: Intake, parsed: Parsed[HoursRow], rows: Sequence[HoursRow]
) -> tuple[Meant, list[HoursRow]]:
    """Look up what the words of these services mean; returns the meanings and the services to enter.

    A person's hours may not use a word that they, their family or guardian decided. The activity decides the rule for
    the hours, so such a row is refused; such a place is only left out. An unknown activity is added under the
    usual rule when its rows are written.
    """
    activities, stations = await activities_of(intake.scope), await stations_of(intake.scope, closed=True)
    meant, own = await _meant(intake, parsed, activities, rows, lambda row: row.activity)
    for row in own:
        parsed.reading(row).refuse("activity", problem("own_word"))
    places, own = await _meant(intake, parsed, stations, rows, lambda row: row.place)
    for row in own:
        parsed.reading(row).leave_out("place", problem("own_word"))
    parsed.words = activities.unknown(parsed.uses("activity")) + stations.unknown(parsed.uses("station"))
    return Meant(meant, places), [row for row in rows if not parsed.reading(row).refused]


async def _meant(
    intake: Intake, parsed: Parsed[HoursRow], there: NameIndex, rows: Sequence[HoursRow],
    word_of: Callable[[HoursRow], str | None],
) -> tuple[dict[Where, UUID], list[HoursRow]]:  # fmt: skip
    """What each row's word means, and the rows whose person, family or guardian decided it.

    Collects unknown words in `parsed`.
    """
    there.suppose(intake.answered(there.kind))
    said = [(row, word, key_of(there.kind, word)) for row in rows if (word := word_of(row))]
    by_own = await barred(intake, there.kind, there.words, {(key, person_of(row)) for row, _, key in said})
    meant: dict[Where, UUID] = {}
    own: list[HoursRow] = []
    new: set[str] = set()
    for row, word, key in said:
        found, is_own = there.of(word), by_own.of([key], person_of(row))
        if is_own:
            own.append(row)
        elif found is not None:
            meant[row.where] = found
        else:
            new.add(names.clean(word))
        if by_own.is_asked([key], person_of(row)) or (found is None and not is_own):
            parsed.unknown.append(UnknownUse(value=word, sheet=row.sheet, row=row.row, kind=there.kind))
    if new:
        code = "note_activities" if there.kind == "activity" else "note_elsewhere"
        parsed.notes.append(problem(code, count=len(new), names=first_of(sorted(new))))
    return meant, own
