"""Creating administrators by a command of the operator, such as the first one of a community."""

import asyncio
from contextlib import suppress
from uuid import UUID

from timebank.access.roles.grants import RoleHeld, grant
from timebank.access.schemas import GrantIn
from timebank.access.sign_in.logins import (
    ensure_login,
    login_by_phone,
    mark_login_confirmed,
    password_facts,
    set_password,
)
from timebank.access.sign_in.passwords import Facts, check_strength
from timebank.core import clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.scope import Role, Scope
from timebank.people.enrolment.enrolling import enrol_many
from timebank.people.identity.phones import normal_phone
from timebank.people.schemas import Enrolment


@retried
async def create_admin(
    scope: Scope, name: str, phone: str, password: str, *, role: Role = Role.community_admin,
    region_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Register an administrator of the scope's community, or of a street or county above it, with a password.

    A person already registered with this name and phone is used unchanged and gets the password, so a repetition is
    safe. Returns the person's id. Raises Forbidden unless the operator calls, and WeakPassword.
    """
    if not scope.system:
        raise Forbidden
    phone = normal_phone(phone)
    await asyncio.to_thread(check_strength, password, phone, await _facts(scope, name, phone))
    async with transaction(scope):
        [enrolled] = await enrol_many(scope, [Enrolment(name=name, phone=phone)])
        login_id = await ensure_login(scope, phone, enrolled.person_id, agreed=True)
        asked = GrantIn(person_id=enrolled.person_id, role=role, region_id=region_id or scope.community_id)
        await mark_login_confirmed(scope, enrolled.person_id, clock.now())  # the operator knows who gets the password
        with suppress(RoleHeld):
            await grant(scope, asked)  # the operator needs no second person
    await set_password(login_id, phone, password)
    return enrolled.person_id


async def _facts(scope: Scope, name: str, phone: str) -> Facts:
    """The strength rules for somebody who will hold a role, read before anything is written."""
    async with transaction(scope):
        place: str = await database.fetch_value("SELECT name FROM region WHERE id = $1", scope.community_id)
    known = await login_by_phone(phone)
    words = (await password_facts(known.id)).words if known else ()
    return facts_of_staff(name, place, *words)


def facts_of_staff(*words: str) -> Facts:
    """Strength rules of staff: the password must not be made of these words or their pinyin."""
    return Facts((*words, *(names.pinyin(word) for word in words)), is_staff=True)
