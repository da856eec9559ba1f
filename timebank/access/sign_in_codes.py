"""Sign-in codes that staff give to a person, and the phone that may receive one."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.membership_state import membership_state_of
from timebank.access.registration import ChildHasNoLogin, HolderDeclined, NoPhone, require_above
from timebank.access.sign_in.logins import (
    ONE_TIME_CODE_LASTS,
    Proof,
    give_one_time_code,
)
from timebank.core import clock
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.people.contact import contact_of
from timebank.people.locks import lock_people


class SignInCode(msgspec.Struct):
    """Six digits for the person at the counter to sign in with.

    Spending through the login is paused for 72 hours, or until a second member of staff confirms the person, if `proof`
    is `name`, or if it is `office` and there has ever been something to spend. After a `scan` the scanned person may
    spend at once.
    """

    code: str
    expires_at: datetime
    proof: Proof


@retried
async def sign_in_code(scope: Scope, person_id: UUID, proof: Proof = "office") -> SignInCode:
    """A sign-in code for a person in front of a keeper, grid worker or administrator; the person is notified.

    It must not give its giver further rights: for a person with a role the giver must be an administrator whose reach
    covers that role, in any community. Only administrators may give one on their word (`office`).
    """
    async with transaction(scope):
        await lock_people(scope, [person_id])  # so that the phone does not change before the code is given
        phone = await receiving_phone(scope, person_id)
        if proof == "office":
            scope.require_admin()
        code = await give_one_time_code(scope, person_id, phone, proof)
    return SignInCode(code, clock.now() + ONE_TIME_CODE_LASTS, proof)


async def receiving_phone(scope: Scope, person_id: UUID) -> str:
    """The phone of a person whom the caller may give a sign-in code to; raises the reason where they may not."""
    async with transaction(scope):
        contact = await contact_of(scope, person_id)
        # Not from a counter tablet: somebody who finds a lost one must not be able to sign in as a resident.
        if scope.device_id is not None or not (scope.kept_stations or scope.works_in(contact.area_path)):
            raise Forbidden
        if contact.status != "active":
            raise NotFound
        if not contact.phone:
            raise NoPhone
        if contact.guarded:
            raise ChildHasNoLogin
        await require_above(scope, contact.phone)
        if (await membership_state_of(scope, person_id)).login == "declined":
            raise HolderDeclined
    return contact.phone
