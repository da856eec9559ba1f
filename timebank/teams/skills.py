"""What people can do for others: the community's list of skills, and who offers which, by their own word."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded
from timebank.people.messages import notify
from timebank.teams.schemas import OfferIn, OfferOut, SkillChange, SkillIn, SkillKind, SkillOut
from timebank.teams.tables import Skill


class SkillNameTaken(TimebankError):
    code = "skill_name_taken"
    status = 409
    sentence = "技能表里已经有同名的一项。"
    constraint = "skill_name_unique"


class CannotOfferSkill(TimebankError):
    code = "cannot_offer_skill"
    status = 422
    sentence = "已停用、已迁出的居民和未满 14 岁的孩子不能登记技能。"


class ProofOver(TimebankError):
    code = "proof_over"
    status = 422
    sentence = "证件的截止日期已经过了。请看还在有效期里的证件。"


class OwnProof(TimebankError):
    code = "own_proof"
    status = 403
    sentence = "自己和家人的证件，要请另一位管理员看。"


class _Listed(SkillOut, frozen=True, kw_only=True):
    """A skill with its sort key."""

    pinyin: str


_SHOWN = "SELECT id, name, kind, needs_proof, active, pinyin FROM skill WHERE community_id = $1"


async def skills(
    scope: Scope, *, kind: SkillKind | None = None, active: bool | None = True, limit: int = 200,
    cursor: str | None = None,
) -> Page[SkillOut]:  # fmt: skip
    """The community's skills by name."""
    scope.require_use("teams")
    asked = Filters(scope.community_id)
    asked.add_given("active = {}", active)
    asked.add_given("kind = {}", kind)
    asked.add_after("pinyin, id", ">", read_cursor(cursor, tuple[str, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed, f"{_SHOWN}{asked.sql} ORDER BY pinyin, id LIMIT {most(limit + 1)}", *asked.values
        )
    listed = make_page(found, limit, lambda s: (s.pinyin, s.id))
    return Page([msgspec.convert(s, SkillOut, from_attributes=True) for s in listed.items], listed.next)


async def open_skill(scope: Scope, skill_id: UUID) -> SkillOut:
    """One skill of the community. Raises NotFound."""
    scope.require_use("teams")
    async with transaction(scope):
        return await _skill(scope, skill_id)


async def _skill(scope: Scope, skill_id: UUID) -> SkillOut:
    found = await database.row(_Listed, f"{_SHOWN} AND id = $2", scope.community_id, skill_id)
    if found is None:
        raise NotFound
    return msgspec.convert(found, SkillOut, from_attributes=True)


@retried
async def add_skill(scope: Scope, wanted: SkillIn) -> SkillOut:
    """Add a skill to the community's list. For administrators. Raises SkillNameTaken."""
    scope.require_use("teams")
    scope.require_admin()
    skill_id, name = clock.new_id(), _named(wanted.name)
    async with transaction(scope):
        await Skill.insert(
            Skill(
                community_id=scope.community_id, id=skill_id, name=name, pinyin=names.pinyin(name)[:160],
                kind=wanted.kind, needs_proof=wanted.needs_proof, active=True, created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(scope, "add_skill", "skill", skill_id, kind=wanted.kind, needs_proof=wanted.needs_proof)
        return await _skill(scope, skill_id)


@retried
async def change_skill(scope: Scope, skill_id: UUID, wanted: SkillChange) -> SkillOut:
    """Change a skill, or take it off the list. For administrators."""
    scope.require_use("teams")
    scope.require_admin()
    changed = msgspec.to_builtins(wanted)
    if "name" in changed:
        changed["name"] = _named(changed["name"])
        changed["pinyin"] = names.pinyin(changed["name"])[:160]
    async with transaction(scope):
        await _skill(scope, skill_id)
        if changed:
            await Skill.update(changed).where((Skill.community_id == scope.community_id) & (Skill.id == skill_id))
            await audit.record(scope, "change_skill", "skill", skill_id, **msgspec.to_builtins(wanted))
        return await _skill(scope, skill_id)


def _named(text: str) -> str:
    return names.required(text, _("技能要有名称"))


_OFFERS = """
SELECT o.person_id, p.name, o.skill_id, s.name AS skill, o.note, o.findable, s.needs_proof, o.proof_until,
       o.proof_seen_at IS NOT NULL AND (o.proof_until IS NULL OR o.proof_until >= $2) AS proof
FROM person_skill o JOIN skill s ON s.community_id = o.community_id AND s.id = o.skill_id
JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id
WHERE o.community_id = $1 AND o.withdrawn_at IS NULL
"""


async def own_offers(scope: Scope) -> list[OfferOut]:
    """What the caller offers, by the skill's name."""
    scope.require_use("teams")
    return await offers_of(scope, _self(scope))


class _Offered(OfferOut, frozen=True, kw_only=True):
    pinyin: str


async def offers_of(scope: Scope, person_id: UUID) -> list[OfferOut]:
    """What one person offers, by the skill's name. The caller decides whether it may be read."""
    async with transaction(scope):
        return await database.rows(
            OfferOut, f"{_OFFERS} AND o.person_id = $3 ORDER BY s.pinyin, s.id LIMIT 200", scope.community_id,
            clock.local_day(), person_id,
        )  # fmt: skip


async def offers_of_skill(
    scope: Scope, skill_id: UUID, *, limit: int = 50, cursor: str | None = None
) -> Page[OfferOut]:
    """Who offers a skill, findable or not, by name; for administrators and auditors, who see the proofs."""
    scope.require_use("teams")
    scope.require_reader()
    asked = Filters(scope.community_id, clock.local_day(), skill_id)
    asked.add_after("p.pinyin, p.id", ">", read_cursor(cursor, tuple[str, UUID]))
    select = _OFFERS.replace("o.person_id, p.name,", "o.person_id, p.name, p.pinyin,", 1)
    async with transaction(scope):
        await _skill(scope, skill_id)
        found = await database.rows(
            _Offered, f"{select} AND o.skill_id = $3{asked.sql} ORDER BY p.pinyin, p.id LIMIT {most(limit + 1)}",
            *asked.values,
        )  # fmt: skip
    listed = make_page(found, limit, lambda o: (o.pinyin, o.person_id))
    return Page([msgspec.convert(o, OfferOut, from_attributes=True) for o in listed.items], listed.next)


@retried
async def offer_skill(scope: Scope, skill_id: UUID, wanted: OfferIn) -> OfferOut:
    """Offer a skill oneself, or change the note and the consent to be found; a proof that was seen stays."""
    scope.require_use("teams")
    own = _self(scope)
    async with transaction(scope):
        person = await database.fetch_one(
            "SELECT status, born_on FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id, own,
        )  # fmt: skip
        if person is None:
            raise NotFound
        if person["status"] != "active" or is_guarded(person["born_on"]):
            raise CannotOfferSkill
        if not (await _skill(scope, skill_id)).active:
            raise NotFound
        await database.execute(
            "INSERT INTO person_skill (community_id, id, person_id, skill_id, note, findable, offered_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (community_id, person_id, skill_id) DO UPDATE "
            "SET note = EXCLUDED.note, findable = EXCLUDED.findable, withdrawn_at = NULL, "
            "offered_at = CASE WHEN person_skill.withdrawn_at IS NULL THEN person_skill.offered_at ELSE $7 END",
            scope.community_id, clock.new_id(), own, skill_id, names.clean(wanted.note), wanted.findable, clock.now(),
        )  # fmt: skip
        await audit.record(scope, "offer_skill", "skill", skill_id, person_id=own, findable=wanted.findable)
        return await _offer(scope, own, skill_id)


@retried
async def withdraw_skill(scope: Scope, skill_id: UUID) -> None:
    """Offer a skill no more, at any time; a repetition changes nothing."""
    scope.require_use("teams")
    own = _self(scope)
    async with transaction(scope):
        withdrawn = await database.execute(
            "UPDATE person_skill SET withdrawn_at = $4, findable = false WHERE community_id = $1 AND person_id = $2 "
            "AND skill_id = $3 AND withdrawn_at IS NULL",
            scope.community_id, own, skill_id, clock.now(),
        )  # fmt: skip
        if withdrawn != "UPDATE 0":
            await audit.record(scope, "withdraw_skill", "skill", skill_id, person_id=own)


def _self(scope: Scope) -> UUID:
    """The own record that the caller may act as. Raises Forbidden, also on a shared device."""
    own = scope.require_self()
    if not scope.stands_for(own):
        raise Forbidden
    return own


async def _offer(scope: Scope, person_id: UUID, skill_id: UUID) -> OfferOut:
    found = await database.row(
        OfferOut, f"{_OFFERS} AND o.person_id = $3 AND o.skill_id = $4",
        scope.community_id, clock.local_day(), person_id, skill_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


@retried
async def see_proof(scope: Scope, person_id: UUID, skill_id: UUID, until: date | None) -> OfferOut:
    """An administrator has seen the paper for a skill that the person offers; not one's own or the household's.

    Only that it was seen is kept, by whom and until when it counts. Raises ProofOver and OwnProof.
    """
    scope.require_use("teams")
    scope.require_admin()
    today = clock.local_day()
    async with transaction(scope):
        await database.execute(
            "SELECT FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, person_id
        )
        offer = await _offer(scope, person_id, skill_id)
        if not await is_uninvolved(scope, person_id, concerns=[person_id]):
            raise OwnProof
        if until is not None and until < today:
            raise ProofOver
        await database.execute(
            "UPDATE person_skill SET proof_seen_by = $4, proof_seen_at = $5, proof_until = $6 "
            "WHERE community_id = $1 AND person_id = $2 AND skill_id = $3",
            scope.community_id, person_id, skill_id, scope.actor_id or person_id, clock.now(), until,
        )  # fmt: skip
        await audit.record(scope, "see_proof", "skill", skill_id, person_id=person_id, until=until)
        await notify(scope, person_id, "skill_proof_seen", f"proof:{clock.new_id()}", skill_id, skill=offer.skill)
        return await _offer(scope, person_id, skill_id)
