"""What a unit is to a community: it handles its matters, builds it up with it, is stationed there or gives to it."""

from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.units.schemas import LinkKind, LinkOut
from timebank.units.tables import UnitLink
from timebank.units.units import UnitUnknown, is_unit_of_county


class UnitAlreadyLinked(TimebankError):
    code = "unit_already_linked"
    status = 409
    sentence = "这个单位在本社区已经有这个身份了。"
    constraint = "unit_link_once"


_SHOWN = "SELECT id, unit_id, kind, starts_on, ends_on FROM unit_link WHERE community_id = $1"


async def links_of(scope: Scope, unit_id: UUID) -> list[LinkOut]:
    """What the unit is and was to the community, the newest first."""
    scope.require_use("units")
    async with transaction(scope):
        return await database.rows(
            LinkOut,
            f"{_SHOWN} AND unit_id = $2 ORDER BY starts_on DESC, id DESC LIMIT 100",
            scope.community_id,
            unit_id,
        )


@retried
async def link_unit(scope: Scope, unit_id: UUID, kind: LinkKind) -> LinkOut:
    """Say what a unit of the county is to the community from today on. Raises UnitUnknown, UnitAlreadyLinked."""
    scope.require_use("units")
    scope.require_admin()
    link_id, today = clock.new_id(), clock.local_day()
    async with transaction(scope):
        if not await is_unit_of_county(scope, unit_id):
            raise UnitUnknown
        await UnitLink.insert(
            UnitLink(
                community_id=scope.community_id, id=link_id, unit_id=unit_id, kind=kind, starts_on=today, ends_on=None,
                created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(scope, "link_unit", "county_unit", unit_id, kind=kind)
    return LinkOut(id=link_id, unit_id=unit_id, kind=kind, starts_on=today, ends_on=None)


@retried
async def end_link(scope: Scope, link_id: UUID) -> None:
    """The unit is this no more after today. One that has ended stays as it is. Raises NotFound."""
    scope.require_use("units")
    scope.require_admin()
    async with transaction(scope):
        found = await database.row(LinkOut, f"{_SHOWN} AND id = $2 FOR NO KEY UPDATE", scope.community_id, link_id)
        if found is None:
            raise NotFound
        if found.ends_on is None:
            await UnitLink.update({UnitLink.ends_on: clock.local_day()}).where(
                (UnitLink.community_id == scope.community_id) & (UnitLink.id == link_id)
            )
            await audit.record(scope, "end_unit_link", "county_unit", found.unit_id, kind=found.kind)
