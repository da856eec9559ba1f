"""Whether two callers or residents are independent people: a pure function, and the queries for its facts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope


class NotIndependent(TimebankError):
    code = "not_independent"
    status = 403
    sentence = "这件事要由另一个人来办：本人、同户的家人（以前同户的也算）、发码开通这个账号的人都不行。"


@dataclass(frozen=True, slots=True)
class Side:
    """The records, households and logins of one human.

    `persons` are the resident records of the same logins; `households` are their present and former ones; `hands` are
    the logins whose acts count as this human's: the own login, and that of the giver of the code that opened it, until
    another person has confirmed the login.
    """

    persons: frozenset[UUID] = frozenset()
    households: frozenset[UUID] = frozenset()
    hands: frozenset[UUID] = frozenset()

    def __or__(self, other: "Side") -> "Side":
        return Side(self.persons | other.persons, self.households | other.households, self.hands | other.hands)


def is_independent(one: Side, other: Side) -> bool:
    """Whether the sides share no record, no present or former household and no login: two independent people."""
    return (
        one.persons.isdisjoint(other.persons)
        and one.households.isdisjoint(other.households)
        and one.hands.isdisjoint(other.hands)
    )


def is_family(one: Side, other: Side) -> bool:
    """Whether the sides share a record, or a present or former household."""
    return not (one.persons.isdisjoint(other.persons) and one.households.isdisjoint(other.households))


class SideRow(msgspec.Struct, frozen=True):
    id: UUID
    persons: list[UUID]
    households: list[UUID]
    hands: list[UUID]

    def side(self) -> Side:
        return Side(frozenset(self.persons), frozenset(self.households), frozenset(self.hands))


def _recorded(scope: Scope) -> Side:
    """The own records of the caller's scope and their households."""
    return Side(
        frozenset(scope.own_ids),
        frozenset(p.household_id for p in scope.persons if p.household_id is not None),
    )


async def side_of(scope: Scope) -> Side:
    """The caller's own side; an empty one for the system."""
    own = _recorded(scope)
    if scope.login_id is None:
        return own
    return own | (await sides_of_logins(scope, [scope.login_id]))[scope.login_id]


async def sides_of_logins(scope: Scope, login_ids: Iterable[UUID]) -> dict[UUID, Side]:
    """The side of the holder of each of these logins, by login id."""
    return await _sides(scope, "agreement_side($1, x.id, NULL)", set(login_ids))


async def sides_of(scope: Scope, person_ids: Iterable[UUID | None]) -> dict[UUID, Side]:
    """The side of each of these residents, by person id."""
    wanted = {person_id for person_id in person_ids if person_id is not None}
    return await _sides(scope, "agreement_side($1, NULL, x.id)", wanted)


async def _sides(scope: Scope, side: str, ids: Collection[UUID]) -> dict[UUID, Side]:
    """`side`: the call of the database function that returns the side of `x.id`."""
    if not ids:
        return {}
    async with transaction(scope):
        found = await database.rows(
            SideRow,
            "SELECT x.id, s.persons::text[] AS persons, s.households::text[] AS households, s.hands::text[] AS hands "  # noqa: S608  # constants of the program
            f"FROM unnest($2::text[]::uuid[]) AS x (id) CROSS JOIN LATERAL {side} AS s",
            scope.community_id, database.as_texts(ids),
        )  # fmt: skip
    return {row.id: row.side() for row in found}


class _Care(msgspec.Struct, frozen=True):
    child_id: UUID
    guardian_id: UUID


@dataclass(frozen=True, slots=True)
class Near:
    """Which of the queried residents and logins are too near the caller.

    `same` are residents and logins that are not independent of the caller; `home` are residents who are the caller,
    share a present or former household with the caller, or are a child that the caller is or was guardian of.
    """

    same: frozenset[UUID] = frozenset()
    home: frozenset[UUID] = frozenset()

    def is_uninvolved(self, acted: Iterable[UUID | None], concerns: Iterable[UUID | None] = ()) -> bool:
        """Whether the caller may decide about a matter that `acted` have filed or entered and that `concerns` others.

        A person whom it concerns may have a login that the caller opened, as long as another person filed it.
        """
        return self.same.isdisjoint(p for p in acted if p) and self.home.isdisjoint(p for p in concerns if p)


def is_caller(scope: Scope, *people: UUID | None) -> bool:
    """Whether one of these people is one of the caller's own records, in any community."""
    return any(p.person_id in people for p in scope.persons)


def signed_on(scope: Scope) -> Scope:
    """The scope of the keeper who is signed on to a counter, without the device; unchanged if nobody is."""
    return replace(scope, device_id=None) if scope.login_id is not None else scope


class NearFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts by which `near_by` finds who is near the caller; `own` is empty for a caller without a login."""

    people: list[SideRow]
    logins: list[SideRow]
    own: list[SideRow]
    care: list[_Care]


def near_question(
    scope: Scope, person_ids: Iterable[UUID | None], logins: Iterable[UUID | None] = (), *, further: str = "",
    about: UUID | None = None,
) -> database.Question:  # fmt: skip
    """The question for the `NearFacts` of these residents and logins, to be asked with others by `database.read`.

    `further`: SQL of an array of further residents' ids, in which $1 is the community and $5 is `about`.
    """
    people = {str(person_id) for person_id in person_ids if person_id is not None}
    ids = f"$2::text[]::uuid[] || {further}" if further else "$2::text[]::uuid[]"
    asked = [] if about is None else [about]
    return database.one(
        f"SELECT (SELECT coalesce(json_agg(q), '[]') FROM (SELECT x.id, s.* FROM unnest({ids}) AS x (id) "  # noqa: S608  # constants of the program
        "CROSS JOIN LATERAL agreement_side($1, NULL, x.id) AS s) AS q) AS people, "
        "(SELECT coalesce(json_agg(q), '[]') FROM (SELECT x.id, s.* FROM unnest($3::text[]::uuid[]) AS x (id) "
        "CROSS JOIN LATERAL agreement_side($1, x.id, NULL) AS s) AS q) AS logins, "
        "(SELECT coalesce(json_agg(q), '[]') FROM (SELECT $4::uuid AS id, s.* FROM agreement_side($1, $4, NULL) AS s "
        "WHERE $4 IS NOT NULL) AS q) AS own, "
        f"(SELECT coalesce(json_agg(q), '[]') FROM agreement_guardians($1, {ids}) AS q) AS care",
        scope.community_id, sorted(people), sorted({str(login) for login in logins if login is not None}),
        scope.login_id, *asked,
    )  # fmt: skip


def near_by(scope: Scope, facts: NearFacts) -> Near:
    """Which of the residents and logins are near the caller; all of them for a device, which stands for no person."""
    if scope.system:
        return Near()
    people, logins = {row.id: row.side() for row in facts.people}, {row.id: row.side() for row in facts.logins}
    if scope.device_id is not None:
        return Near(frozenset(people) | frozenset(logins), frozenset(people))
    own = _recorded(scope)
    for row in facts.own:
        own |= row.side()
    wards = {each.child_id for each in facts.care if each.guardian_id in own.persons}
    return Near(
        frozenset(id_ for id_, side in (people | logins).items() if not is_independent(own, side)),
        frozenset(person_id for person_id, side in people.items() if person_id in wards or is_family(own, side)),
    )


class _NearAnswer(msgspec.Struct, frozen=True):
    near: NearFacts


async def near(scope: Scope, person_ids: Iterable[UUID | None], logins: Iterable[UUID | None] = ()) -> Near:
    """Which of these residents and logins are near the caller; see `near_by`."""
    people, accounts = [one for one in person_ids if one], [one for one in logins if one]
    if scope.system or not (people or accounts):
        return Near()
    async with transaction(scope):
        found = await database.read(_NearAnswer, near=near_question(scope, people, accounts))
    return near_by(scope, found.near)


async def past_and_present_guardians(scope: Scope, person_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """The present and former guardians with consent, by child: a child's benefit is also the guardian's."""
    async with transaction(scope):
        found = await database.rows(
            _Care,
            "SELECT * FROM agreement_guardians($1, $2::text[]::uuid[])",
            scope.community_id,
            database.as_texts(person_ids),
        )
    cared: dict[UUID, set[UUID]] = {}
    for each in found:
        cared.setdefault(each.child_id, set()).add(each.guardian_id)
    return cared


async def is_uninvolved(
    scope: Scope, *acted: UUID | None, concerns: Iterable[UUID | None] = (), logins: Iterable[UUID | None] = ()
) -> bool:
    """Whether the caller may decide about a matter that `acted` have filed or entered and that `concerns` others.

    `logins` are the accounts by which others have acted.
    """
    people, accounts = list(concerns), list(logins)
    close = await near(scope, [*acted, *people], accounts)
    return close.is_uninvolved([*acted, *accounts], people)


async def are_two_people(scope: Scope, one: UUID, other: UUID) -> bool:
    """Whether two residents are independent people, and neither is or was the guardian of the other."""
    async with transaction(scope):
        found = await database.read(_NearAnswer, near=near_question(scope, [one, other]))
    return are_two_people_by(scope, one, other, found.near)


def are_two_people_by(scope: Scope, one: UUID, other: UUID, facts: NearFacts) -> bool:
    """The same from the answer of `near_question` about the two: pure."""
    sides = {row.id: row.side() for row in facts.people}
    own = _recorded(scope)
    for row in facts.own:
        own |= row.side()
    for each in (one, other):
        if is_caller(scope, each):  # with the records and households in other communities
            sides[each] |= own
    cared = {(each.child_id, each.guardian_id) for each in facts.care}
    return is_independent(sides[one], sides[other]) and not any(
        (child, guardian) in cared
        for child, side in ((one, sides[other]), (other, sides[one]))
        for guardian in side.persons
    )


async def is_near_home(scope: Scope, person_id: UUID) -> bool:
    """Whether the person is in `Near.home`: the caller, a household member or a ward, now or before."""
    return person_id in (await near(scope, [person_id])).home
