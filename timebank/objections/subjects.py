"""The subjects of objections: what residents may object to. Each capability declares its own in its manifest."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Kind
from timebank.agreements.schemas import Waiting
from timebank.core import database
from timebank.core.capability import capabilities, resolve
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.objections.schemas import Raised


class NotOnNotice(TimebankError):
    code = "not_on_notice"
    status = 409
    sentence = "它现在不在公示期，不能提出异议。有疑问请找社区管理员。"


class OwnDeed(TimebankError):
    code = "own_deed"
    status = 403
    sentence = "这是您自己的记录。要更正，请找登记人或社区管理员。"


class Parties(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a subject is, its stage, and who therefore does not decide an objection to it.

    `published`: on the public board, its credit waits. `reversed`: its credit was taken back. `acted` have filed,
    entered, corrected or approved it, `logins` took part in its scans, and `concerns` are its person and witness.
    """

    person_id: UUID
    stage: Literal["published", "reversed", "other"]
    acted: list[UUID | None]
    logins: list[UUID | None]
    concerns: list[UUID | None]


def may_object_on_board(parties: Parties, own: bool) -> None:
    """Allow others to object while it is published, and its person to object to a reversal.

    Raises NotOnNotice, OwnDeed.
    """
    if parties.stage == "reversed" and own:
        return
    if parties.stage != "published":
        raise NotOnNotice
    if own:
        raise OwnDeed


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
    """One kind of row that residents may object to. `lock` is called before any of the verbs after it.

    `kind` is the noun of the rows; it is stored with each objection, and a resident in whose name staff have objected
    gets the message `objection_entered.{kind}`.
    """

    kind: str
    rejected: str
    """The kind of the message part that names the outcome where an objection to a published row is upheld."""
    look: str | None = None
    """The label of the link to the row's page in the panel; None where the objection itself says enough."""
    select: str
    """SELECT of `id, person_id, what, occurred_on, started_at, points, minutes, stage, acted, logins, concerns` of the
    rows of community $1, without more parameters; see `Parties`."""
    lock: Callable[[Scope, UUID], Awaitable[object]]
    """Lock the rows of the person and the subject, in this order. Raises NotFound."""
    may_object: Callable[[Parties, bool], None] = may_object_on_board
    """Raise where one may not object to it at its stage; the second argument says whether it is the objector's own."""
    hold: Callable[[Scope, Raised], Awaitable[None]]
    """Let the credit of a published row wait, and notify its person."""
    uphold: Callable[[Scope, Raised, str], Awaitable[None]]
    """Reject a published row with this note, and notify its person."""
    dismiss: Callable[[Scope, Raised], Awaitable[None]]
    """Let a published row go on to its credit after its last objection was dismissed, and notify its person."""
    restore: Callable[[Scope, Raised], Awaitable[None]]
    """Credit a reversed row again."""
    ask_above: Callable[[Scope, Raised, str], Awaitable[Waiting | None]] | None = None
    """Propose to restore a reversed row and return the proposal, or None where that needs no second person."""
    again: Kind | None = None
    """The kind of the change that `ask_above` proposes; its subject is the objection's id."""


def subjects() -> dict[str, Subject]:
    """Every subject that a capability declares, by its kind."""
    found = [resolve(path) for one in capabilities() for path in one.subjects]
    return {subject.kind: subject for subject in found}


def subject_of(kind: str) -> Subject:
    """The subject of this kind. Raises NotFound."""
    subject = subjects().get(kind)
    if subject is None:
        raise NotFound
    return subject


async def lock_parties(scope: Scope, kind: str, subject_id: UUID) -> Parties:
    """Lock the rows of the person and the subject, and return its parties as they are now. Raises NotFound."""
    subject = subject_of(kind)
    await subject.lock(scope, subject_id)
    parties = await database.row(
        Parties,
        f"SELECT * FROM ({subject.select}) AS subject WHERE id = $2",  # noqa: S608  # declared in manifests
        scope.community_id, subject_id,
    )  # fmt: skip
    if parties is None:
        raise NotFound
    return parties


_COLUMNS = "id, person_id, what, occurred_on, started_at, points, minutes, stage, acted, logins, concerns"


def subject_rows() -> str:
    """SQL of the one row, as in `Subject.select`, of the subject of the objection `o` in community $1."""
    return " UNION ALL ".join(
        f"SELECT {_COLUMNS} FROM ({subject.select}) AS one WHERE o.subject_kind = '{kind}' AND one.id = o.subject_id"  # noqa: S608  # declared in manifests
        for kind, subject in subjects().items()
    )
