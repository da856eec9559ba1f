"""The household, guardians and wards of a resident, and what else concerns the record itself."""

from uuid import UUID

import msgspec

from timebank.cards.cards import CardInForce, card_in_force
from timebank.core import database
from timebank.core.capability import Figure, Reading
from timebank.core.database import retried, transaction
from timebank.core.locale import _, translate
from timebank.core.scope import Scope
from timebank.core.wording import day
from timebank.merging.merges import MergeOut, merges_of
from timebank.people.guardianship.guardians import guardianships_of
from timebank.people.households import Member, members
from timebank.people.schemas import GuardianOut


class Family(msgspec.Struct, frozen=True, kw_only=True):
    household: list[Member]
    guardianships: list[GuardianOut]


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    merges: list[MergeOut]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    card: CardInForce | None


@retried
async def family_of(scope: Scope, person_id: UUID, _reading: Reading) -> Family:
    """The other people of the household, and the guardians or wards. Both lists are complete."""
    async with transaction(scope), database.gathering() as reads:
        household = reads.start(_household(scope, person_id))
        guardianships = reads.start(guardianships_of(scope, person_id))
    return Family(household=household.result(), guardianships=guardianships.result())


async def _household(scope: Scope, person_id: UUID) -> list[Member]:
    found = await database.fetch_value(
        "SELECT household_id FROM person WHERE community_id = $1 AND id = $2", scope.community_id, person_id
    )
    if found is None:
        return []
    return [member for member in await members(scope, UUID(bytes=found.bytes)) if member.id != person_id]


async def registered_of(scope: Scope, person_id: UUID, _reading: Reading) -> Registered:
    """The merges into the record. The list is complete."""
    return Registered(merges=await merges_of(scope, person_id))


async def access_of(scope: Scope, person_id: UUID, _reading: Reading) -> Access:
    """The card in force. Roles and the state of the login are in the header already."""
    return Access(card=await card_in_force(scope, person_id))


async def card_figures(scope: Scope, person_id: UUID, language: str) -> list[Figure]:
    """The card in force."""
    card = await card_in_force(scope, person_id)
    told = translate(_("第 {n} 张，{day}发"), language) if card else translate(_("没有卡"), language)
    text = told.format(n=card.epoch, day=day(card.issued_at, language)) if card else told
    return [Figure(place=70, word=_("卡"), text=text, part="access")]
