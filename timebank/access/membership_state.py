"""The state between a resident's record and the login of its phone, and the holder's answer to a waiting record."""

from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.access.sign_in.logins import notify_login
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError, Unauthenticated
from timebank.core.scope import Role, Scope
from timebank.ledger.resting import RESTS_FOR
from timebank.people.residents import require_resident

Login = Literal["none", "joined", "waiting", "declined"]


class MembershipUnproved(TimebankError):
    code = "membership_unproved"
    status = 403
    sentence = (
        "这一步要由手机号的主人来定：请用密码登录后再决定，或到您已加入的社区，扫卡后请站长发登录码。"
        "账号还在等工作人员确认的，确认以后再来。"
    )


class Question(msgspec.Struct, frozen=True):
    """A record that a community has registered with the phone of the caller's login; the name is masked."""

    community_id: UUID
    community_name: str
    person_id: UUID
    name: str
    asked_at: datetime


class AnswerIn(msgspec.Struct, forbid_unknown_fields=True):
    decision: Literal["agree", "decline"]


class Standing(msgspec.Struct, frozen=True):
    """The state between a record and its login. Spending through the login is paused until `rests_until`."""

    login: Login
    rests_until: datetime | None


async def membership_state_of(scope: Scope, person_id: UUID) -> Standing:
    """The state between a record and its login, without a check of the caller's rights."""
    async with transaction(scope):
        found = await database.row(
            Standing,
            "SELECT CASE WHEN EXISTS (SELECT FROM membership m WHERE m.community_id = $1 AND m.person_id = $2) "
            "THEN 'joined' WHEN q.person_id IS NULL THEN 'none' WHEN q.declined_at IS NULL THEN 'waiting' "
            "ELSE 'declined' END AS login, (SELECT max(r.until) FROM spending_rest r WHERE r.community_id = $1 "
            "AND r.person_id = $2 AND r.ended_at IS NULL AND r.until > $3) AS rests_until "
            "FROM (SELECT) AS one LEFT JOIN membership_question q ON q.community_id = $1 AND q.person_id = $2",
            scope.community_id, person_id, clock.now(),
        )  # fmt: skip
    assert found is not None
    return found


async def read_membership_state(scope: Scope, person_id: UUID) -> Standing:
    """The state between a record and its login, for administrators, auditors, keepers and grid workers."""
    if not (scope.reads_all or scope.kept_stations or scope.has(Role.grid_worker)):
        raise Forbidden
    async with transaction(scope):
        await require_resident(scope, person_id)
        return await membership_state_of(scope, person_id)


async def questions(scope: Scope) -> list[Question]:
    """The records that wait for an answer of the caller's login's holder."""
    if scope.session_id is None or scope.device_id is not None:
        return []
    async with transaction(scope):
        found = await database.rows(Question, "SELECT * FROM login_questions($1)", scope.session_id)
    return [msgspec.structs.replace(asked, name=names.masked(asked.name)) for asked in found]


@retried
async def answer_membership_question(scope: Scope, community_id: UUID, person_id: UUID, decision: AnswerIn) -> None:
    """Accept or decline that a record joins the caller's login; accepting again changes nothing.

    The session must prove the holder: opened by password, or by a sign-in code given on a scan in a community where the
    login has a record. Raises MembershipUnproved otherwise, and while spending through the login is paused.
    """
    if scope.session_id is None or scope.login_id is None or scope.device_id is not None:
        raise Unauthenticated
    there = replace(scope, community_id=community_id)
    async with transaction(there):
        said: str = await database.fetch_value(
            "SELECT login_answer($1, $2, $3, $4, $5, $6)",
            scope.session_id, community_id, person_id, decision.decision == "agree", RESTS_FOR, clock.now(),
        )  # fmt: skip
        if said == "none":
            raise NotFound
        if said == "unproved":
            raise MembershipUnproved
        if said == "agreed":
            await audit.record(there, "agree_membership", "person", person_id)
            await notify_login(scope.login_id, "membership_asked.agreed", f"membership-agreed:{person_id}")
        if said == "declined":
            await audit.record(there, "decline_membership", "person", person_id)
