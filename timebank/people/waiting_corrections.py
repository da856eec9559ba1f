"""Corrections of a person's record that a second person must agree to: which ones, and how they are kept encrypted."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from timebank.agreements.independence import is_near_home, side_of
from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.areas.addresses import area_in_words
from timebank.core import database, names, vault
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.people.identity.citizen_number import masked_identity
from timebank.people.identity.phones import masked_phone, normal_phone
from timebank.people.schemas import Correction

Touches = Literal["home", "identity"]
FIELDS = {
    "name": _("姓名"), "sex": _("性别"), "born_on": _("出生日期"), "identity": _("身份证号"), "phone": _("手机号"),
    "area_id": _("楼栋单元"), "room": _("房号"), "head_name": _("户主姓名"), "relation": _("与户主关系"),
    "status": _("状态"), "publishes_name": _("公示是否用全名"),
}  # fmt: skip


class _PresentValues(msgspec.Struct, frozen=True, kw_only=True):
    """The present values of what a correction may change."""

    household_id: UUID | None
    area_id: UUID | None
    room: str | None
    head_name: str | None
    name: str
    born_on: str | None
    identity_index: str | None
    phone_index: str | None
    status: str


async def _present_values(scope: Scope, person_id: UUID) -> _PresentValues:
    found = await database.row(
        _PresentValues,
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
    """Whether a correction changes the home or the identity of the caller or a household member; None for neither.

    Moving somebody else into the caller's household counts as "home". Changing the caller's own phone needs no second
    person: spending through the new phone is paused instead, and the old phone's login is notified.
    """
    stands = await _present_values(scope, person_id)
    moves = _moves(correction, stands)
    if not await is_near_home(scope, person_id):
        return "home" if moves and await _leads_home(scope, correction, stands) else None
    if moves:
        return "home"
    own, born_on = scope.is_own(person_id), correction.born_on
    moved = (
        born_on is not UNSET and (str(born_on) if born_on else None) != stands.born_on,
        correction.identity is not UNSET and _index(correction.identity, "identity") != stands.identity_index,
        correction.name is not UNSET and names.clean_person(correction.name) != stands.name,
        not own and correction.phone is not UNSET and _phone_index(correction.phone) != stands.phone_index,
        not own and correction.status is not UNSET and correction.status != stands.status,
    )
    return "identity" if any(moved) else None


async def moves_home(scope: Scope, person_id: UUID, correction: Correction) -> bool:
    """Whether a correction changes the area, the room or the head of household that is on record."""
    return _moves(correction, await _present_values(scope, person_id))


def _moves(correction: Correction, stands: _PresentValues) -> bool:
    return any(
        sent is not UNSET and sent != now
        for sent, now in (
            (correction.area_id, stands.area_id), (correction.room, stands.room),
            (_key(correction.head_name), _key(stands.head_name)),
        )
    )  # fmt: skip


def _key(name: str | msgspec.UnsetType | None) -> str | msgspec.UnsetType | None:
    return names.key(name) if isinstance(name, str) else name


async def _leads_home(scope: Scope, correction: Correction, stands: _PresentValues) -> bool:
    """Whether the corrected area and room are those of a household in which the caller lives or has lived."""
    area_id = stands.area_id if correction.area_id is UNSET else correction.area_id
    room = (stands.room if correction.room is UNSET else correction.room.strip()) or ""
    own: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM household "
        "WHERE community_id = $1 AND id = ANY ($2) AND area_id = $3 AND room = $4)",
        scope.community_id, list((await side_of(scope)).households), area_id, room,
    )  # fmt: skip
    return own


def _index(text: str | None, purpose: str) -> str | None:
    return vault.blind_index(text, purpose).hex() if text else None


def _phone_index(phone: str | None) -> str | None:
    return _index(normal_phone(phone), "phone") if phone else None


async def propose_correction(scope: Scope, kind: Kind, person_id: UUID, correction: Correction) -> Waiting:
    """Propose a correction. It is stored encrypted, so that no phone or identity number is kept in plain text."""
    sent = {n: v for n, v in msgspec.structs.asdict(correction).items() if v is not UNSET and n != "reason"}
    sealed = vault.seal(msgspec.json.encode(correction).decode(), "waiting change").hex()
    # Encryption gives another text each time; the keyed hash recognises the same correction when it is sent again.
    says = {
        "fields": [FIELDS[field] for field in sent],
        "mark": _index(msgspec.json.encode(correction).decode(), "waiting change"),
        "area": await _area_name(scope, correction),
    }
    do = {"sealed": sealed, "person_id": person_id}
    return await propose(
        scope, kind, str(person_id), do, says, person_id=person_id, before=await correction_state(scope, do)
    )  # fmt: skip


async def _area_name(scope: Scope, correction: Correction) -> str | None:
    if correction.area_id is UNSET:
        return None
    name: str | None = await database.fetch_value(
        f"SELECT {area_in_words('a')} FROM area a WHERE a.community_id = $1 AND a.id = $2",  # noqa: S608
        scope.community_id, correction.area_id,
    )  # fmt: skip
    return name


STATUS = {"active": _("在册"), "blocked": _("已停用"), "left": _("已迁出")}


def revealed(change: dict[str, Any]) -> dict[str, Any]:
    """The corrected fields with their new values, for the deciders; phone and identity number are masked."""
    correction, area = unsealed(change["do"]), change["says"].get("area")
    sent = {n: v for n, v in msgspec.structs.asdict(correction).items() if v is not UNSET and n != "reason"}
    return {"fields": [(FIELDS[field], _value(field, value, area)) for field, value in sent.items()]}


def _value(field: str, value: object, area: str | None) -> str:
    if value is None or value == "":
        return "—"
    if field == "phone":
        return masked_phone(normal_phone(str(value)))
    if field == "identity":
        return masked_identity(str(value))
    if field == "area_id":
        return area or "—"
    if field == "publishes_name":
        return _("是") if value else _("否")
    return STATUS.get(str(value), str(value)) if field == "status" else str(value)


def unsealed(do: Any) -> Correction:
    """Decrypt the correction of a waiting change."""
    return msgspec.json.decode(vault.unseal(bytes.fromhex(do["sealed"]), "waiting change"), type=Correction)


async def correction_state(scope: Scope, do: Any) -> str:
    """A keyed hash of the present values; it differs once anything that a correction may change has changed."""
    stands = await _present_values(scope, UUID(str(do["person_id"])))
    return vault.blind_index(msgspec.json.encode(stands).decode(), "waiting change").hex()
