"""Who may agree, as the second person, to what a member of staff has asked for at the counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.agreements.independence import Side, is_family, is_independent, side_of, sides_of, sides_of_logins
from timebank.errors import Forbidden, TimebankError
from timebank.scope import Scope


class NotSecondPerson(TimebankError):
    code = "not_second_person"
    status = 403
    sentence = "这件事要由另一位工作人员来同意：不能是提出的人、居民本人、他们同户的家人，或发码开通提出人账号的人。"


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose points are asked for, and who asked."""

    person_id: UUID
    asked_by: UUID | None
    asked_by_login: UUID | None


@dataclass(frozen=True, slots=True)
class Seconds:
    """Whether the caller is a second person: of the staff, and nobody near who asked or whom it concerns.

    At a counter the human who is signed on to it is judged, not the tablet. What a keeper asks for the own household is
    for an administrator to decide.
    """

    scope: Scope
    own: Side
    people: dict[UUID, Side]
    logins: dict[UUID, Side]

    @classmethod
    async def of(cls, scope: Scope, found: Sequence[Parties]) -> "Seconds":
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
