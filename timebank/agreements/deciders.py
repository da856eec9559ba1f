"""The people who may agree to a change: administrators of a higher level (or another one), else auditors, else the
operator."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.agreements.independence import (
    Side,
    is_independent,
    past_and_present_guardians,
    side_of,
    sides_of,
    sides_of_logins,
)
from timebank.agreements.kinds import Needs
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.locale import _, put_together
from timebank.core.scope import READERS, Scope

AUDITOR = "auditor"
OPERATOR = _("系统管理员（在服务器上运行 timebank confirm）")
ROLE_WORDS = {
    "community_admin": _("社区管理员"), "street_admin": _("街道管理员"), "county_admin": _("县管理员"),
    "auditor": _("审计员"), "station_keeper": _("站长"),
}  # fmt: skip
WITHIN = 4
"""A depth greater than that of every region, so that every administrator of the community counts as above it."""


class Decider(msgspec.Struct, frozen=True, kw_only=True):
    """An administrator, auditor or station keeper, and who granted the role.

    `home_id` is the community of their resident record; `depth` is that of the role's region (county 1, community 3).
    """

    person_id: UUID
    home_id: UUID
    name: str
    role: str
    depth: int
    place: str
    granted_by: UUID | None
    granted_at: datetime

    def in_words(self, language: str = "zh") -> str:
        said = {"place": self.place, "role": ROLE_WORDS[self.role], "name": self.name}
        return put_together(_("{role}{name}（{place}）"), said, language)


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a change that decide who may agree to it.

    They are its proposer, the time of the proposal (None: now), the `people` whom it concerns, and what it `needs`.
    """

    needs: Needs
    depth: int
    proposed_by: UUID | None
    proposed_by_login: UUID | None
    people: list[UUID]
    proposed_at: datetime | None = None

    def has_chosen(self, officer: Decider) -> bool:
        """Whether the proposer has granted this officer's role since the proposal or, for an auditor, at any time."""
        if officer.granted_by is None or officer.granted_by != self.proposed_by:
            return False
        return officer.role == AUDITOR or (self.proposed_at is not None and officer.granted_at >= self.proposed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The possible deciders of a community, with the `Side` of every person and login that the changes name."""

    scope: Scope
    officers: list[Decider]
    people: dict[UUID, Side]
    logins: dict[UUID, Side]
    own: Side
    guardians: dict[UUID, set[UUID]]

    @classmethod
    async def of(cls, scope: Scope, asked: Sequence[Party]) -> "Bench":
        """Load the bench for these changes in one transaction."""
        async with transaction(scope):
            known = await possible_deciders(scope)
            named = [person for about in asked for person in (about.proposed_by, *about.people)]
            people = await sides_of(scope, [*named, *(officer.person_id for officer in known)])
            logins = await sides_of_logins(scope, [a.proposed_by_login for a in asked if a.proposed_by_login])
            return cls(
                scope=scope,
                officers=known,
                people=people,
                logins=logins,
                own=await side_of(scope),
                guardians=await past_and_present_guardians(scope, people),
            )

    def askers(self, about: Party) -> list[Side]:
        """The sides of the change's proposer: of the person and of the login."""
        people = [self.people[person] for person in (about.proposed_by,) if person in self.people]
        return people + [self.logins[login] for login in (about.proposed_by_login,) if login in self.logins]

    def involved(self, about: Party) -> list[Side]:
        """The sides of the proposer and of the people whom the change concerns."""
        return self.askers(about) + [self.people[person] for person in about.people if person in self.people]

    def is_uninvolved(self, about: Party, who: Side) -> bool:
        """Whether this side is independent of all involved ones and never was guardian of a person whom it concerns."""
        cared_by = set().union(*(self.guardians.get(person, ()) for person in about.people))
        return who.persons.isdisjoint(cared_by) and all(is_independent(who, side) for side in self.involved(about))

    def deciders(self, about: Party) -> list[Decider]:
        """The people who may decide now. If there are none, the operator decides by command."""
        free = [
            o for o in self.officers if not about.has_chosen(o) and self.is_uninvolved(about, self.people[o.person_id])
        ]
        return eligible(free, about.needs, about.depth)

    def may_decide(self, about: Party) -> bool:
        """Whether the caller may decide; the operator (system scope) only if nobody else may."""
        chosen = self.deciders(about)
        if self.scope.system:
            return not chosen
        named = any(o.person_id in self.scope.own_ids for o in chosen)
        return named and self.is_uninvolved(about, self.own) and self.scope.device_id is None


async def possible_deciders(scope: Scope) -> list[Decider]:
    """The administrators and auditors of the community and of the regions above it, wherever they live.

    Other roles over a region, such as a unit's contact, decide nothing here.
    """
    async with transaction(scope):
        return await database.rows(
            Decider, "SELECT * FROM agreement_officers($1, $2) WHERE role = ANY ($3)",
            scope.community_id, clock.local_day(), [role.value for role in READERS],
        )  # fmt: skip


def eligible(free: Sequence[Decider], needs: Needs, depth: int) -> list[Decider]:
    """Of the uninvolved officers `free`, the administrators above `depth`; if there are none, the auditors.

    With `needs` "another", every administrator counts as above.
    """
    limit = depth if needs == "above" else WITHIN
    above = [o for o in free if o.role != AUDITOR and o.depth < limit]
    return above or [o for o in free if o.role == AUDITOR]


def nearest(free: Sequence[Decider]) -> list[Decider]:
    """The officers of the community; if there are none, those of the nearest region above it."""
    return [officer for officer in free if officer.depth == max(o.depth for o in free)]


async def administrators_apart_from(scope: Scope, people: Iterable[UUID | None]) -> list[Decider]:
    """The administrators who may decide about a matter that concerns these people, nearest region first."""
    (found,) = await administrators_apart_from_each(scope, [people])
    return found


async def administrators_apart_from_each(scope: Scope, matters: Sequence[Iterable[UUID | None]]) -> list[list[Decider]]:
    """The administrators who may decide about each of these matters, given the people whom it concerns."""
    if not matters:
        return []
    asked = [
        Party(
            needs="another",
            depth=WITHIN,
            proposed_by=None,
            proposed_by_login=None,
            people=[person for person in people if person is not None],
        )
        for people in matters
    ]
    bench = await Bench.of(scope, asked)
    return [
        sorted((o for o in bench.deciders(about) if o.role != AUDITOR), key=lambda officer: -officer.depth)
        for about in asked
    ]


def who_in_words(chosen: Sequence[Decider], language: str = "zh") -> list[str]:
    """The people who may decide in words, one line each; the operator if there are none."""
    lines = [officer.in_words(language) for officer in chosen]
    return list(dict.fromkeys(lines)) or [put_together(OPERATOR, {}, language)]
