"""Where a resident is signed in, for the resident and for staff, and how an administrator ends it for somebody else."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.registration import require_above
from timebank.access.sign_in.device_kinds import KINDS
from timebank.access.sign_in.logins import notify_login
from timebank.core import audit, clock, database
from timebank.core.capability import Reading
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.contact import contact_of
from timebank.people.locks import lock_people
from timebank.people.messages import notify


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in in force: its kind of device (None: not noted), whether a code opened it, and its last use."""

    id: UUID
    device: str | None
    by_code: bool
    opened_at: datetime
    used_at: datetime | None

    @property
    def word(self) -> str:
        """The kind of device, marked for translation."""
        return KINDS.get(self.device or "", _("没有记下设备"))


class SignInsEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Which sign-in ends (all without one), and why."""

    reason: Annotated[str, Meta(min_length=2, max_length=200, pattern=r"^[^\x00]*$")]
    sign_in_id: UUID | None = None


async def sign_ins_of(scope: Scope, person_id: UUID, _reading: Reading) -> list[SignIn]:
    """The sign-ins that open a resident's record, last used first. Nobody but the person and readers sees any."""
    async with transaction(scope):
        return await database.rows(
            SignIn, "SELECT * FROM sessions_of($1, $2, $3)", scope.community_id, person_id, clock.now()
        )


@retried
async def end_sign_ins(scope: Scope, person_id: UUID, asked: SignInsEnd) -> int:
    """End one sign-in of a resident or all, who is notified in every community; returns how many ended.

    The administrator gets no access by it: the next sign-in needs the resident's own password or code. It is for
    administrators who stand above every role of the resident, so that nobody keeps a colleague or an auditor out, and
    never for an own record, which signs out by itself. A repetition changes nothing. Raises RoleHolder.
    """
    scope.require_admin()
    if scope.device_id is not None or scope.is_own(person_id):
        raise Forbidden
    async with transaction(scope):
        contact = await contact_of(scope, person_id)
        await lock_people(scope, [person_id])
        if contact.phone:
            await require_above(scope, contact.phone)
        ended = await database.fetch(
            "SELECT * FROM sessions_end_of($1, $2, $3, $4)",
            scope.community_id, person_id, asked.sign_in_id, clock.now(),
        )  # fmt: skip
        if ended:
            await audit.record(scope, "end_sign_ins", "person", person_id, reason=asked.reason, sign_ins=len(ended))
            logins = {UUID(bytes=row["login_id"].bytes) for row in ended}
            await _notify(scope, person_id, logins, f"sign-ins-ended:{clock.new_id()}", len(ended), asked.reason)
    return len(ended)


async def _notify(scope: Scope, person_id: UUID, logins: set[UUID], key: str, count: int, reason: str) -> None:
    values: dict[str, Any] = {
        "community": scope.community_name or phrase("community"), "count": count, "reason": reason,
    }  # fmt: skip
    for login_id in sorted(logins):
        await notify_login(login_id, "sign_ins_ended", key, **values)
    await notify(scope, person_id, "sign_ins_ended", key, urgent=True, **values)
