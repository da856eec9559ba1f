"""What a list says that people can do, and to which teams they belong: what of it is entered, and what only noted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from timebank.core.scope import Scope
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.kinds.members.read import MemberRow
from timebank.imports.kinds.members.skills_named import Choices, skills_in
from timebank.imports.sheets.parsed import Reading
from timebank.people.identity.ages import is_guarded
from timebank.teams.importing import Choice, offers_held, skills_to_name, teams_held, teams_to_name
from timebank.teams.skills import CannotOfferSkill
from timebank.units.affiliations import Stand


@dataclass(slots=True, kw_only=True)
class Offers:
    """The community's skills and teams, and what these people have said of them. Empty where teams are not in use."""

    in_use: bool
    skills: Choices
    teams: Choices
    offered: Mapping[tuple[UUID, UUID], bool]
    joined: Collection[tuple[UUID, UUID]]
    unused: int = field(default=0, init=False)

    def to_enter(
        self, line: Reading[MemberRow], row: MemberRow, person_id: UUID | None, stand: Stand | None
    ) -> tuple[UUID, ...]:
        """The skills of a row that are entered. Every other word of it, and each team, has a warning that says why."""
        if not self.in_use:
            self.unused += row.skill is not None or row.team is not None
            return ()
        self._note_teams(line, row.team, person_id)
        if row.skill is None:
            return ()
        known, wrong = skills_in(self.skills, row.skill)
        for odd in wrong:
            line.warn("skill", odd)
        if known and stand is not None and (stand.status != "active" or is_guarded(stand.born_on)):
            line.warn("skill", refusal(CannotOfferSkill()))
            return ()
        if any(person_id and self.offered.get((person_id, skill_id)) is False for skill_id in known):
            line.warn("skill", problem("skill_withdrawn"))
        return tuple(skill_id for skill_id in known if person_id is None or (person_id, skill_id) not in self.offered)

    def _note_teams(self, line: Reading[MemberRow], text: str | None, person_id: UUID | None) -> None:
        for found in self.teams.named(text) if text else ():
            if not isinstance(found, Choice):
                line.warn("team", problem("team_not_listed", team=found))
            elif person_id is None or (person_id, found.id) not in self.joined:
                line.warn("team", problem("team_not_joined", team=found.name))

    @property
    def notes(self) -> list[Problem]:
        return [problem("note_skills_unused", count=self.unused)] if self.unused else []


async def read_offers(scope: Scope, person_ids: Collection[UUID]) -> Offers:
    """Read the community's skills and teams, and which of them these people have."""
    if not scope.uses("teams"):
        return Offers(in_use=False, skills=Choices([]), teams=Choices([]), offered={}, joined=set())
    return Offers(
        in_use=True, skills=Choices(await skills_to_name(scope)), teams=Choices(await teams_to_name(scope)),
        offered=await offers_held(scope, person_ids), joined=await teams_held(scope, person_ids),
    )  # fmt: skip
