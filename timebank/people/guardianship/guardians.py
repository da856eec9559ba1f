"""Guardians: children hold points and take classes only through a guardian with recorded consent.

Each consent keeps who recorded it. A guardian may give and withdraw it without staff (个人信息保护法 15, 31).
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from piccolo.columns import Column

from timebank.agreements.independence import is_near_home
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.people.guardianship.care import REGISTERED, UNDER_AGE, is_in_care
from timebank.people.identity.ages import is_minor
from timebank.people.messages import notify
from timebank.people.residents import require_resident
from timebank.people.schemas import ChildOut, GuardianIn, GuardianOut
from timebank.people.tables import Guardianship


class NotGuardian(TimebankError):
    code = "guardian_consent_missing"
    status = 422
    sentence = "没有登记这位家长对孩子的监护同意。请到社区登记后再办。"


class NotAChild(TimebankError):
    code = "not_a_child"
    status = 422
    sentence = "监护人要成年，孩子要未满 18 岁。请核对两人的出生日期。"


class GuardianKnown(Conflict):
    code = "guardian_known"
    sentence = "这位监护人已经登记过了。"
    constraint = "guardianship_pair_unique"


async def children_of(scope: Scope) -> list[ChildOut]:
    """The dependants under 18 of the caller's own records, in every community of the login."""
    async with transaction(scope):
        return await database.rows(ChildOut, "SELECT * FROM own_children($1, $2)", scope.session_id, clock.local_day())


async def require_guardian(scope: Scope, guardian_id: UUID, child_id: UUID) -> None:
    """Raise NotGuardian unless this guardian's consent for this child is in force and the child is under 18 today."""
    if not await _cares(scope, [guardian_id], child_id):
        raise NotGuardian


async def is_guardian(scope: Scope, child_id: UUID) -> bool:
    """Whether the caller is a guardian of this child with consent in force, and the child is under 18 today."""
    return await _cares(scope, scope.own_ids, child_id)


async def _cares(scope: Scope, guardians: list[UUID], child_id: UUID) -> bool:
    async with transaction(scope):
        cares: bool = await database.fetch_value(
            f"SELECT {is_in_care('$1', '$3', '$2::text[]::uuid[]', '$4')}",  # fixed text with placeholders
            scope.community_id, database.as_texts(guardians), child_id, clock.local_day(),
        )  # fmt: skip
    return cares


@retried
async def name_guardian(scope: Scope, child_id: UUID, named: GuardianIn) -> GuardianOut | Waiting:
    """Name a guardian of a child, and record the consent if it was given in front of the administrator.

    If the guardian is the administrator or a household member, the change waits for another administrator.
    """
    scope.require_admin()
    async with transaction(scope):
        if await is_near_home(scope, named.guardian_id):
            await _require_pair(scope, child_id, named.guardian_id)
            child: str = await database.fetch_value(
                "SELECT name FROM person WHERE community_id = $1 AND id = $2", scope.community_id, child_id
            )
            return await propose(
                scope, GUARDIAN, f"{named.guardian_id}:{child_id}", {"child_id": child_id, "named": named},
                {"child": child, "relation": named.relation}, person_id=named.guardian_id, involved=[child_id],
            )  # fmt: skip
        return await _name(scope, child_id, named, scope.person_id)


async def _name(scope: Scope, child_id: UUID, named: GuardianIn, by: UUID | None) -> GuardianOut:
    await _require_pair(scope, child_id, named.guardian_id)
    consented_at = clock.now() if named.consented else None
    named_id = await database.fetch_value(
        "INSERT INTO guardianship AS g "
        "(community_id, id, guardian_id, child_id, relation, consented_at, recorded_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (community_id, guardian_id, child_id) DO UPDATE "
        "SET relation = $5, consented_at = $6, recorded_by = $7, ended_at = NULL WHERE g.ended_at IS NOT NULL "
        "RETURNING id",
        scope.community_id, clock.new_id(), named.guardian_id, child_id, named.relation, consented_at,
        by if named.consented else None,
    )  # fmt: skip
    if named_id is None:
        raise GuardianKnown
    await audit.record(
        scope, "name_guardian", "guardianship", named_id, child_id=child_id, guardian_id=named.guardian_id,
        consented=named.consented,
    )  # fmt: skip
    made = await _guardianship(scope, named_id)
    await _notify(scope, made, "guardianship.named", relation=made.relation)
    return made


async def _require_pair(scope: Scope, child_id: UUID, guardian_id: UUID) -> None:
    """Lock both people. Raises NotAChild or NotFound where they cannot be guardian and child."""
    births = await database.fetch(
        "SELECT id, born_on FROM person WHERE community_id = $1 AND id = ANY ($2) AND status = 'active' "
        "ORDER BY id FOR NO KEY UPDATE",
        scope.community_id, [guardian_id, child_id],
    )  # fmt: skip
    _check_ages({record["id"]: record["born_on"] for record in births}, guardian_id, child_id)


async def name_agreed(scope: Scope, change: Change) -> None:
    await _name(scope, UUID(change.do["child_id"]), msgspec.convert(change.do["named"], GuardianIn), scope.person_id)


def _check_ages(births: dict[UUID, date | None], guardian_id: UUID, child_id: UUID) -> None:
    if not {guardian_id, child_id} <= births.keys():
        raise NotFound
    guardian_born_on = births[guardian_id]
    grown = guardian_born_on is None or not is_minor(guardian_born_on)
    if guardian_id == child_id or not grown or not is_minor(births[child_id]):
        raise NotAChild


_GUARDIANSHIPS = f"""
SELECT g.id, g.guardian_id, guardian.name AS guardian_name, g.child_id, c.name AS child_name, g.relation,
       g.consented_at, g.recorded_by
FROM guardianship g JOIN person guardian ON guardian.community_id = g.community_id AND guardian.id = g.guardian_id
JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id
WHERE g.community_id = $1 AND {REGISTERED}
"""  # noqa: S608


async def _guardianship(scope: Scope, guardianship_id: UUID) -> GuardianOut:
    found = await database.row(GuardianOut, _GUARDIANSHIPS + "AND g.id = $2", scope.community_id, guardianship_id)
    if found is None:
        raise NotFound
    return found


async def guardianships_of(scope: Scope, person_id: UUID) -> list[GuardianOut]:
    """The person's guardians and dependants while the child is under 18, with and without consent.

    For administrators, auditors, the person and the person's guardians; anybody else gets NotFound.
    """
    if not (scope.reads_all or scope.is_own(person_id) or await is_guardian(scope, person_id)):
        raise NotFound
    async with transaction(scope):
        if not scope.is_own(person_id):
            await require_resident(scope, person_id)
        return await database.rows(
            GuardianOut,
            _GUARDIANSHIPS
            + f"AND (g.child_id = $2 OR g.guardian_id = $2) AND {UNDER_AGE.format(today='$3')} ORDER BY g.id",
            scope.community_id, person_id, clock.local_day(),
        )  # fmt: skip


@retried
async def record_consent(scope: Scope, guardianship_id: UUID) -> GuardianOut | Waiting:
    """Record the guardian's consent; for the guardian and administrators.

    An administrator's own household needs another administrator, unless the caller is the guardian.
    """
    async with transaction(scope):
        found = await _of_caller(scope, guardianship_id)
        if not scope.is_own(found.guardian_id) and await is_near_home(scope, found.guardian_id):
            return await propose(
                scope, GUARDIAN_CONSENT, str(guardianship_id), {"id": guardianship_id}, {"child": found.child_name},
                person_id=found.guardian_id, involved=[found.child_id],
            )  # fmt: skip
        return await _consent(scope, found, scope.person_id)


async def _consent(scope: Scope, found: GuardianOut, by: UUID | None) -> GuardianOut:
    given: dict[Column | str, object] = {"consented_at": found.consented_at or clock.now(), "recorded_by": by}
    await _change(scope, found, "record_consent", given)
    if not scope.is_own(found.guardian_id) and found.consented_at is None:
        await _notify(scope, found, "guardianship.consented")
    return await _guardianship(scope, found.id)


async def consent_agreed(scope: Scope, change: Change) -> None:
    await _consent(scope, await _guardianship(scope, UUID(change.do["id"])), scope.person_id)


@retried
async def withdraw_consent(scope: Scope, guardianship_id: UUID) -> GuardianOut:
    """Record that the guardian has withdrawn the consent; for the guardian and administrators."""
    async with transaction(scope):
        found = await _of_caller(scope, guardianship_id)
        gone: dict[Column | str, object] = {"consented_at": None, "recorded_by": scope.person_id}
        await _change(scope, found, "withdraw_consent", gone)
        if not scope.is_own(found.guardian_id) and found.consented_at is not None:
            await _notify(scope, found, "guardianship.consent_withdrawn")
        return await _guardianship(scope, guardianship_id)


async def _of_caller(scope: Scope, guardianship_id: UUID) -> GuardianOut:
    """The guardianship; NotFound unless the caller is its guardian or an administrator."""
    found = await _guardianship(scope, guardianship_id)
    if not scope.administers and not scope.is_own(found.guardian_id):
        raise NotFound
    return found


@retried
async def end_guardianship(scope: Scope, guardianship_id: UUID) -> None:
    """End a guardianship; points and class minutes bought for the child stay the child's."""
    scope.require_admin()
    async with transaction(scope):
        found = await _guardianship(scope, guardianship_id)
        await _change(scope, found, "end_guardianship", {"ended_at": clock.now()})
        await _notify(scope, found, "guardianship.ended")


async def _notify(scope: Scope, about: GuardianOut, kind: str, **values: Any) -> None:
    key = f"guardianship:{clock.new_id()}"
    await notify(scope, about.guardian_id, kind, key, about.id, child=about.child_name, **values)


async def _change(scope: Scope, found: GuardianOut, verb: str, changed: dict[Column | str, object]) -> None:
    await Guardianship.update(changed).where(
        (Guardianship.community_id == scope.community_id) & (Guardianship.id == found.id)
    )
    await audit.record(scope, verb, "guardianship", found.id, about_id=found.child_id)


GUARDIAN = Kind(name="guardian", sentence=_("登记{person}为{child}的监护人（{relation}）"), needs="another")
GUARDIAN_CONSENT = Kind(name="guardian_consent", sentence=_("登记{person}对{child}的监护同意"), needs="another")
