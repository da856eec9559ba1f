"""The header of a resident's page, and one of its tabs, read side by side."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from timebank.access.membership_state import Standing, membership_state_of
from timebank.access.roles.listing import grants
from timebank.access.schemas import GrantOut
from timebank.core import database
from timebank.core.capability import Figure, Reading, ResidentAct, ResidentPart, capabilities_of, resolve
from timebank.core.database import retried, transaction
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.people.directory import open_person
from timebank.people.schemas import PersonDetail


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is, what the account holds, and the rows of the chosen tabs by their names."""

    person: PersonDetail
    roles: list[GrantOut]
    standing: Standing
    figures: list[Figure]
    found: dict[str, Any]


def resident_parts(scope: Scope) -> list[ResidentPart]:
    """The tabs of a resident's page in this community, in order."""
    return sorted((part for one in capabilities_of(scope) for part in one.resident_parts), key=lambda part: part.place)


def resident_acts(scope: Scope) -> list[ResidentAct]:
    """What an administrator does for a resident, in order."""
    return sorted((act for one in capabilities_of(scope) for act in one.resident_acts), key=lambda act: act.place)


def part_named(scope: Scope, name: str) -> ResidentPart:
    """The tab with this name, else the first one."""
    parts = resident_parts(scope)
    return next((part for part in parts if part.name == name), parts[0])


@retried
async def open_resident(scope: Scope, person_id: UUID, parts: Sequence[ResidentPart], reading: Reading) -> Header:
    """One person with the header's figures and the rows of these tabs; for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        person = await open_person(scope, person_id)
        async with database.gathering() as reads:
            counted = [
                reads.start(resolve(path)(scope, person_id, reading.language))
                for one in capabilities_of(scope)
                for path in one.resident_figures
            ]
            roles = reads.start(all_pages(partial(grants, scope, person_id=person_id)))
            standing = reads.start(membership_state_of(scope, person_id))
            found = {part.name: reads.start(resolve(part.read)(scope, person_id, reading)) for part in parts}
    figures = [figure for each in counted for figure in each.result()]
    return Header(
        person=person, roles=roles.result(), standing=standing.result(),
        found={name: read.result() for name, read in found.items()},
        figures=sorted(figures, key=lambda figure: figure.place),
    )  # fmt: skip
