"""Corrections that a second person must agree to: which they are, and how they wait without being readable at rest."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from timebank import database, vault
from timebank.agreements.independence import is_near_home
from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.errors import NotFound
from timebank.locale import _
from timebank.people.phones import normal_phone
from timebank.people.schemas import Correction
from timebank.scope import Scope

Touches = Literal["home", "identity"]
FIELDS = {
    "name": _("姓名"), "sex": _("性别"), "born_on": _("出生日期"), "identity": _("身份证号"), "phone": _("手机号"),
    "area_id": _("楼栋单元"), "room": _("房号"), "head_name": _("户主姓名"), "relation": _("与户主关系"),
    "status": _("状态"), "publishes_name": _("公示是否用全名"),
}  # fmt: skip


class _Stands(msgspec.Struct, frozen=True):
    """What a correction may change, as it stands."""

    household_id: UUID | None
    area_id: UUID | None
    room: str | None
    head_name: str | None
    name: str
    born_on: str | None
    identity_index: str | None
    phone_index: str | None
    status: str


async def _stands(scope: Scope, person_id: UUID) -> _Stands:
    found = await database.row(
        _Stands,
        "SELECT p.household_id, h.area_id, h.room, h.head_name, p.name, p.born_on::text AS born_on, "
        "encode(p.identity_index, 'hex') AS identity_index, encode(p.phone_index, 'hex') AS phone_index, p.status "
        "FROM person p LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "WHERE p.community_id = $1 AND p.id = $2",
        scope.community_id, person_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def touches_family(scope: Scope, person_id: UUID, correction: Correction) -> Touches | None:
    """What a correction changes of the caller or of the caller's household: where they live, or who they are.

    The own phone is changed alone: it rests, and the old one is told.
    """
    if not await is_near_home(scope, person_id):
        return None
    stands = await _stands(scope, person_id)
    if any(
        sent is not UNSET and sent != now
        for sent, now in (
            (correction.area_id, stands.area_id), (correction.room, stands.room),
            (correction.head_name, stands.head_name),
        )
    ):  # fmt: skip
        return "home"
    own, born_on = scope.is_own(person_id), correction.born_on
    moved = (
        born_on is not UNSET and (str(born_on) if born_on else None) != stands.born_on,
        correction.identity is not UNSET and _index(correction.identity, "identity") != stands.identity_index,
        correction.name is not UNSET and correction.name != stands.name,
        not own and correction.phone is not UNSET and _phone_index(correction.phone) != stands.phone_index,
        not own and correction.status is not UNSET and correction.status != stands.status,
    )
    return "identity" if any(moved) else None


def _index(text: str | None, purpose: str) -> str | None:
    return vault.blind_index(text, purpose).hex() if text else None


def _phone_index(phone: str | None) -> str | None:
    return _index(normal_phone(phone), "phone") if phone else None


async def ask_for(scope: Scope, kind: Kind, person_id: UUID, correction: Correction) -> Waiting:
    """Let a correction wait. It is kept sealed: phone and identity number stand readable nowhere."""
    sent = {n: v for n, v in msgspec.structs.asdict(correction).items() if v is not UNSET and n != "reason"}
    sealed = vault.seal(msgspec.json.encode(correction).decode(), "waiting change").hex()
    # The seal differs each time; the keyed hash tells the same correction, sent again, from another.
    says = {
        "fields": [FIELDS[field] for field in sent],
        "mark": _index(msgspec.json.encode(correction).decode(), "waiting change"),
    }
    do = {"sealed": sealed, "person_id": person_id}
    return await propose(
        scope, kind, str(person_id), do, says, person_id=person_id, before=await stands_now(scope, do)
    )  # fmt: skip


def unsealed(do: Any) -> Correction:
    """The correction that waited."""
    return msgspec.json.decode(vault.unseal(bytes.fromhex(do["sealed"]), "waiting change"), type=Correction)


async def stands_now(scope: Scope, do: Any) -> str:
    """A keyed hash of what a correction would be written over."""
    stands = await _stands(scope, UUID(str(do["person_id"])))
    return vault.blind_index(msgspec.json.encode(stands).decode(), "waiting change").hex()
