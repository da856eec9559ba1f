"""Nominate guardians for the children of a roster from their households; the parents confirm later."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from timebank.core.scope import Scope
from timebank.imports.cells.problems import problem, refusal
from timebank.imports.kinds.roster.known_residents import Resident
from timebank.imports.kinds.roster.read import Household, RosterRow
from timebank.imports.sheets.parsed import Parsed
from timebank.people.guardianship.nominations import Nomination, OwnGuardian, nominate_guardians
from timebank.people.identity.ages import is_minor

SPOUSE = frozenset(("配偶", "妻", "夫", "妻子", "丈夫", "爱人", "spouse", "wife", "husband"))
GRANDCHILD = ("外孙", "孙", "grand")
CHILD = frozenset(
    (
        *("子", "女", "儿子", "女儿", "子女", "孩子", "长子", "次子", "三子", "四子", "长女", "次女", "三女", "四女"),
        *("独生子", "独生女", "养子", "养女", "继子", "继女", "之子", "之女", "son", "daughter", "child"),
    )
)
PARENT = {"male": "父亲", "female": "母亲"}
GRANDPARENT = {"male": "祖父", "female": "祖母"}
MOTHERS_PARENT = {"male": "外祖父", "female": "外祖母"}


@dataclass(slots=True)
class _Family:
    adults: list[Resident] = field(default_factory=list)
    children: list[Resident] = field(default_factory=list)


def report_guardians(parsed: Parsed[RosterRow], residents: Sequence[Resident], own: set[UUID]) -> None:
    """Note how many children get a guardian; warn for each child whose adult is in `own`, the importer's household."""
    nominations = _nominations(residents)
    rows = {child.person_id: child.row for family in _families(residents) for child in family.children}
    for child_id in dict.fromkeys(nomination.child_id for nomination in nominations if nomination.guardian_id in own):
        parsed.reading(rows[child_id]).warn("relation|name", refusal(OwnGuardian()))
    named = {nomination.child_id for nomination in nominations if nomination.guardian_id not in own}
    if named:
        parsed.notes.append(problem("note_guardians", children=len(named)))


async def nominate_from_households(
    scope: Scope, residents: Sequence[Resident], own: set[UUID], import_id: UUID
) -> list[UUID]:
    """Nominate the head of a household and the spouse as guardians of its minors, without consent.

    If both adult and child were known before, nobody is nominated, because somebody may have decided otherwise since.
    Nobody of the importer's own household is nominated: another administrator does that in the panel.
    """
    nominations = [nomination for nomination in _nominations(residents) if nomination.guardian_id not in own]
    return await nominate_guardians(scope, nominations, import_id) if nominations else []


def _nominations(residents: Sequence[Resident]) -> list[Nomination]:
    return [
        Nomination(adult.person_id, child.person_id, _relation(adult.row, child.row))
        for family in _families(residents)
        for child in family.children
        for adult in family.adults
        if adult.is_new or child.is_new
    ]


def _families(residents: Sequence[Resident]) -> list[_Family]:
    families: dict[Household, _Family] = {}
    for one in residents:
        if not one.row.household.is_known:
            continue
        family = families.setdefault(one.row.household, _Family())
        if one.row.born_on is not None and is_minor(one.row.born_on):
            family.children.append(one)
        elif one.row.is_head or (one.row.relation or "").lower() in SPOUSE:
            family.adults.append(one)
    return list(families.values())


def _relation(adult: RosterRow, child: RosterRow) -> str:
    """The adult's relation to the child, derived from the child's relation to the head of the household."""
    said = (child.relation or "").lower()
    if said.startswith(GRANDCHILD):
        return (MOTHERS_PARENT if said.startswith("外") else GRANDPARENT).get(adult.sex or "", "祖父母")
    if said in CHILD:
        return PARENT.get(adult.sex or "", "父母")
    return "监护人"
