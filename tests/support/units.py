"""Two units and a third community beside the town, with one contact who serves both units."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import asyncpg

from tests.support.switches import switch_on
from tests.support.town import SPRING, Town, _insert
from timebank.core import clock, names, vault
from timebank.core.scope import Role

WILLOW = "柳岸社区"
OTHER_STREET = "城北街道"


@dataclass(kw_only=True)
class Units:
    """The ids of the tax office and of the power utility, and of the community in the other street."""

    tax: UUID
    power: UUID
    willow: UUID


async def add_units(owner: asyncpg.Connection, town: Town) -> Units:
    """Two units; all three communities use units and teams. 马涛 serves the tax office in the county, and the power
    utility in the street of the first two communities."""
    now = clock.now()
    street, made = clock.new_id(), Units(tax=clock.new_id(), power=clock.new_id(), willow=clock.new_id())
    for id_, parent, kind, name, path in (
        (street, town.county, "street", OTHER_STREET, [town.county, street]),
        (made.willow, street, "community", WILLOW, [town.county, street, made.willow]),
    ):
        await _insert(
            owner, "region", id=id_, parent_id=parent, kind=kind, name=name, pinyin=names.pinyin(name), path=path,
            created_at=now,
        )  # fmt: skip
    town.communities[WILLOW] = made.willow
    for id_, name, kind in ((made.tax, "县税务局", "department"), (made.power, "供电公司", "utility")):
        await _insert(
            owner, "unit", id=id_, county_id=town.county, name=name, pinyin=names.pinyin(name), kind=kind, active=True,
            created_at=now,
        )  # fmt: skip
    for community in town.communities.values():
        await switch_on(owner, community, "units", "teams")
    for region, unit in ((town.county, made.tax), (town.street, made.power)):
        await _insert(
            owner, "role_grant", community_id=town.communities[SPRING], id=clock.new_id(),
            person_id=town.people["马涛"], role=Role.unit_contact.value, region_id=region, unit_id=unit,
            starts_on=date(2025, 1, 1), granted_at=now,
        )  # fmt: skip
    return made


async def reported(
    owner: asyncpg.Connection, community: UUID, unit: UUID, name: str, *, since: date, until: date | None = None,
    person: UUID | None = None,
) -> UUID:  # fmt: skip
    """Somebody who reported in from a unit; a new person of this name unless one is given. Returns the person."""
    if person is None:
        person, initials = clock.new_id(), names.initials(name)
        await _insert(
            owner, "person", community_id=community, id=person, name=name, name_key=names.key(name),
            pinyin=names.pinyin(name), spelled=names.spelled(name), initials=initials[0], initials_other=initials[1],
            phone_sealed=vault.seal("19911110000", "phone"), publishes_name=False, status="active", code_epoch=1,
            created_at=clock.now(),
        )  # fmt: skip
    await _insert(
        owner, "affiliation", community_id=community, id=clock.new_id(), person_id=person, unit_id=unit,
        reported_on=since, ended_on=until, created_at=clock.now(),
    )  # fmt: skip
    return person


async def served(owner: asyncpg.Connection, community: UUID, person: UUID, day: date, minutes: int) -> None:
    """A credited service record of this person on this day."""
    begin = datetime.combine(day, time(2), UTC)
    await _insert(
        owner, "service_record", community_id=community, id=clock.new_id(), kind="honour", person_id=person,
        started_at=begin, ended_at=begin + timedelta(minutes=minutes), minutes=minutes, status="approved", flags=[],
        reason="补录", rule_code="service", rule_version=1, credited_minutes=minutes, credited_points=0,
        created_at=clock.now(),
    )  # fmt: skip
