"""Who may agree, as the second person, to a request that a member of staff made at the counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.agreements.deciders import AUDITOR, WITHIN, Bench, Decider, Party
from timebank.agreements.independence import Side, is_family, is_independent, side_of, sides_of, sides_of_logins
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.scope import Scope


class NotSecondPerson(TimebankError):
    code = "not_second_person"
    status = 403
    sentence = "这件事要由另一位工作人员来同意：不能是提出的人、居民本人、他们同户的家人，或发码开通提出人账号的人。"


@dataclass(frozen=True, slots=True)
class Parties:
    """The person whose points are requested, and who requested them."""

    person_id: UUID
    asked_by: UUID | None
    asked_by_login: UUID | None

    @property
    def party(self) -> Party:
        return Party(
            needs="another",
            depth=WITHIN,
            proposed_by=self.asked_by,
            proposed_by_login=self.asked_by_login,
            people=[self.person_id],
        )


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Whether the caller is a second person: on the staff, independent of the requester, and no family of the person.

    At a counter the keeper who is signed on is judged, not the tablet. Only an administrator may decide a keeper's
    request for the keeper's own household.
    """

    scope: Scope
    own: Side
    people: dict[UUID, Side]
    logins: dict[UUID, Side]

    @classmethod
    async def of(cls, scope: Scope, found: Sequence[Parties]) -> "SecondPerson":
        people = await sides_of(scope, [person for each in found for person in (each.person_id, each.asked_by)])
        logins = await sides_of_logins(scope, [each.asked_by_login for each in found if each.asked_by_login])
        return cls(scope, await side_of(scope), people, logins)

    def require(self, about: Parties) -> None:
        asker = self.people[about.asked_by] if about.asked_by else Side()
        asker |= self.logins[about.asked_by_login] if about.asked_by_login else Side()
        served = self.people[about.person_id]
        if not (self.scope.administers or (self.scope.kept_stations and not is_family(asker, served))):
            raise Forbidden
        if not is_independent(self.own, asker) or is_family(self.own, served):
            raise NotSecondPerson

    def may_decide(self, about: Parties) -> bool:
        try:
            self.require(about)
        except (Forbidden, NotSecondPerson):
            return False
        return True


class Waits(msgspec.Struct, frozen=True):
    """A request that waits for a second person at a station."""

    id: UUID
    station_id: UUID
    about: Parties


class _Keeper(msgspec.Struct, frozen=True, kw_only=True):
    person_id: UUID
    name: str
    station_id: UUID
    station: str
    granted_by: UUID | None
    granted_at: datetime

    def officer(self, scope: Scope) -> Decider:
        return Decider(
            person_id=self.person_id,
            home_id=scope.community_id,
            name=self.name,
            role="station_keeper",
            depth=WITHIN,
            place=self.station,
            granted_by=self.granted_by,
            granted_at=self.granted_at,
        )


async def second_persons(scope: Scope, waiting: Sequence[Waits]) -> dict[UUID, list[Decider]]:
    """Who may agree to each of these requests: administrators, nearest first, then the station's keepers.

    Keepers may not agree to a request for the requester's own household.
    """
    if not waiting:
        return {}
    async with transaction(scope):
        bench = await Bench.of(scope, [each.about.party for each in waiting])
        keepers = await database.rows(
            _Keeper, _KEEPERS, scope.community_id, list({each.station_id for each in waiting}), clock.local_day()
        )
        sides = await sides_of(scope, [keeper.person_id for keeper in keepers])
    found = {}
    for each in waiting:
        party, served = each.about.party, bench.people[each.about.person_id]
        for_own_home = any(is_family(side, served) for side in bench.askers(party))
        free = [
            keeper.officer(scope)
            for keeper in keepers
            if keeper.station_id == each.station_id and not for_own_home
            and bench.is_uninvolved(party, sides[keeper.person_id])
        ]  # fmt: skip
        admins = [o for o in bench.deciders(party) if o.role != AUDITOR]
        found[each.id] = [*sorted(admins, key=lambda o: -o.depth), *free]
    return found


_KEEPERS = f"""
SELECT DISTINCT ON (s.id, p.id) p.id AS person_id, p.name, s.id AS station_id, s.name AS station,
       g.granted_by, g.granted_at
FROM role_grant g JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
JOIN station s ON s.community_id = g.community_id AND s.id = g.station_id
WHERE g.community_id = $1 AND g.station_id = ANY ($2) AND g.role = 'station_keeper' AND {is_in_force("$3")}
ORDER BY s.id, p.id
"""  # noqa: S608
