"""Who may agree to a change: from above, else the auditor, else the operator; or another administrator."""

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
from timebank.core.scope import Scope

AUDITOR = "auditor"
OPERATOR = _("系统管理员（在服务器上运行 timebank confirm）")
ROLE_WORDS = {
    "community_admin": _("社区管理员"), "street_admin": _("街道管理员"), "county_admin": _("县管理员"),
    "auditor": _("审计员"), "station_keeper": _("站长"),
}  # fmt: skip
WITHIN = 4
"""A depth below every region's: any administrator of the community is above it."""


class Officer(msgspec.Struct, frozen=True):
    """Somebody who administers, audits or keeps a station, and who appointed them.

    `home_id` is where their resident record is.
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


class Party(msgspec.Struct, frozen=True):
    """Who proposed something and when (null: just now), whom it concerns, and what it needs."""

    needs: Needs
    depth: int
    proposed_by: UUID | None
    proposed_by_login: UUID | None
    people: list[UUID]
    proposed_at: datetime | None = None

    def has_chosen(self, officer: Officer) -> bool:
        """Whether the proposer has appointed this officer in the meantime, or as the auditor who is to watch them."""
        if officer.granted_by is None or officer.granted_by != self.proposed_by:
            return False
        return officer.role == AUDITOR or (self.proposed_at is not None and officer.granted_at >= self.proposed_at)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everybody who may ever decide in a community, with the sides of all who are asked about."""

    scope: Scope
    officers: list[Officer]
    people: dict[UUID, Side]
    logins: dict[UUID, Side]
    own: Side
    guardians: dict[UUID, set[UUID]]

    @classmethod
    async def of(cls, scope: Scope, asked: Sequence[Party]) -> "Bench":
        """The bench for these changes, read at once."""
        async with transaction(scope):
            known = await officers_of(scope)
            named = [person for about in asked for person in (about.proposed_by, *about.people)]
            people = await sides_of(scope, [*named, *(officer.person_id for officer in known)])
            logins = await sides_of_logins(scope, [a.proposed_by_login for a in asked if a.proposed_by_login])
            return cls(
                scope, known, people, logins, await side_of(scope), await past_and_present_guardians(scope, people)
            )

    def askers(self, about: Party) -> list[Side]:
        """The sides of whoever proposed a change."""
        people = [self.people[person] for person in (about.proposed_by,) if person in self.people]
        return people + [self.logins[login] for login in (about.proposed_by_login,) if login in self.logins]

    def involved(self, about: Party) -> list[Side]:
        """The sides of whoever proposed a change and of whom it concerns."""
        return self.askers(about) + [self.people[person] for person in about.people if person in self.people]

    def is_uninvolved(self, about: Party, who: Side) -> bool:
        """Whether this is another human than all of them, and nobody's guardian."""
        cared_by = set().union(*(self.guardians.get(person, ()) for person in about.people))
        return who.persons.isdisjoint(cared_by) and all(is_independent(who, side) for side in self.involved(about))

    def deciders(self, about: Party) -> list[Officer]:
        """Who may decide now; nobody: the operator does, by command."""
        free = [
            o for o in self.officers if not about.has_chosen(o) and self.is_uninvolved(about, self.people[o.person_id])
        ]
        return eligible(free, about.needs, about.depth)

    def may_decide(self, about: Party) -> bool:
        """Whether the caller is one of those who may; the operator where nobody is."""
        chosen = self.deciders(about)
        if self.scope.system:
            return not chosen
        named = any(p.person_id == o.person_id for o in chosen for p in self.scope.persons)
        return named and self.is_uninvolved(about, self.own) and self.scope.device_id is None


async def officers_of(scope: Scope) -> list[Officer]:
    """Who administers or audits the community, from itself or from above, wherever they live."""
    async with transaction(scope):
        return await database.rows(
            Officer, "SELECT * FROM agreement_officers($1, $2)", scope.community_id, clock.local_day()
        )


def eligible(free: Sequence[Officer], needs: Needs, depth: int) -> list[Officer]:
    """Of those who are uninvolved whoever stands above; auditors only where nobody does."""
    limit = depth if needs == "above" else WITHIN
    above = [o for o in free if o.role != AUDITOR and o.depth < limit]
    return above or [o for o in free if o.role == AUDITOR]


def nearest(free: Sequence[Officer]) -> list[Officer]:
    """Those of the community; where there is none, those of the region above it."""
    return [officer for officer in free if officer.depth == max(o.depth for o in free)]


async def administrators_apart_from(scope: Scope, people: Iterable[UUID | None]) -> list[Officer]:
    """The administrators who may decide about what these people have done or are concerned by; nearest first."""
    asked = Party("another", WITHIN, None, None, [person for person in people if person is not None])
    bench = await Bench.of(scope, [asked])
    free = [officer for officer in bench.deciders(asked) if officer.role != AUDITOR]
    return sorted(free, key=lambda officer: -officer.depth)


def who_in_words(chosen: Sequence[Officer], language: str = "zh") -> list[str]:
    """Who may decide, one line each."""
    lines = [officer.in_words(language) for officer in chosen]
    return list(dict.fromkeys(lines)) or [put_together(OPERATOR, {}, language)]
