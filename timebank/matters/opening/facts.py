"""What is read at once to decide whether a matter may be opened: category, place, people, limits and the calendar."""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.pickup import draw
from timebank.areas.addresses import area_in_words, grid_in_words
from timebank.areas.workdays import DayWorks, Workdays, differing_question, workdays_from
from timebank.core import clock, database
from timebank.core.database import Question
from timebank.core.scope import Scope
from timebank.matters.categories.categories import CategoryOut, category_question
from timebank.matters.checks.signs import Signs, signs_question
from timebank.matters.opening.limits import opened_question
from timebank.matters.schemas import DUE_DAYS_MAX, OpenIn
from timebank.people.guardianship.care import is_in_care
from timebank.policies.values import PolicyValue, policy_values

CALENDAR = timedelta(days=3 * DUE_DAYS_MAX)
"""How far ahead working days are read: longer than any due date in working days."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The area where it is: its path, its words, and the name of its grid."""

    path: list[UUID]
    words: str
    grid: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The resident named by `for_person_id`."""

    status: str
    household_id: UUID | None
    born_on: date | None
    in_care: bool


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """The matter that the same nonce has opened."""

    id: UUID
    reporter_id: UUID | None
    entered_by: UUID | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answers. `own_born` is of the caller's own record here, `opened` how many its login has opened today.

    `signs` is by reporter: the caller, and whom it is for. `free` is a number that no matter has.
    """

    category: CategoryOut | None
    place: Place | None
    own_born: date | None
    named: Named | None
    before: Before | None
    opened: int
    signs: list[Signs]
    free: str | None
    chosen: list[PolicyValue]
    days: list[DayWorks]

    def workdays(self) -> Workdays:
        """The working days from the day of receipt on."""
        return workdays_from(self.days)


async def read_found(scope: Scope, wanted: OpenIn, received_at: datetime, mark: bytes | None) -> Found:
    """Read it, under the locks of the caller's own record and of whom it is for."""
    day = clock.local_day(received_at)
    people = [one for one in (scope.person_id, wanted.for_person_id) if one]
    return await database.read(
        Found, category=category_question(scope, wanted.category), place=place_question(scope, wanted.area_id),
        own_born=_own_born(scope), named=_named(scope, wanted.for_person_id), before=_before(scope, wanted.nonce),
        opened=opened_question(scope), signs=signs_question(scope, people, mark), free=_free(scope),
        chosen=policy_values(scope), days=differing_question(scope, day, day + CALENDAR),
    )  # fmt: skip


def place_question(scope: Scope, area_id: UUID) -> Question:
    """The question for the Place of an area."""
    return database.one(
        f"SELECT a.path, {area_in_words('a')} AS words, "  # noqa: S608  # constants of the program
        f"coalesce({grid_in_words('a')}, '') AS grid "
        "FROM area a WHERE a.community_id = $1 AND a.id = $2",
        scope.community_id, area_id,
    )  # fmt: skip


def _own_born(scope: Scope) -> Question:
    return database.value(
        "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, scope.person_id
    )


def _named(scope: Scope, person_id: UUID | None) -> Question:
    cares = is_in_care("$1", "$2", "$3::text[]::uuid[]", "$4")
    return database.one(
        f"SELECT p.status, p.household_id, p.born_on, {cares} AS in_care FROM person p "  # noqa: S608  # no input
        "WHERE p.community_id = $1 AND p.id = $2",
        scope.community_id, person_id, database.as_texts(scope.own_ids), clock.local_day(),
    )  # fmt: skip


def _before(scope: Scope, nonce: str | None) -> Question:
    return database.one(
        "SELECT id, reporter_id, entered_by FROM matter WHERE community_id = $1 AND nonce = $2",
        scope.community_id, nonce,
    )  # fmt: skip


def _free(scope: Scope) -> Question:
    """Eight random digits that no matter of the community has: nobody can guess how many there are."""
    return database.value(
        "SELECT d.number FROM unnest($2::text[]) AS d (number) WHERE NOT EXISTS (SELECT FROM matter m "
        "WHERE m.community_id = $1 AND m.number = d.number) LIMIT 1",
        scope.community_id, draw(),
    )  # fmt: skip
