"""Donations of points to the community's common pool. A batcher posts concurrent donations by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from timebank.core import clock, database
from timebank.core.batcher import Batcher
from timebank.core.database import retried
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger.posting import HASH_VERSION, Posted
from timebank.ledger.refusals import REFUSALS, Insufficient
from timebank.ledger.resting import require_spendable
from timebank.ledger.schemas import DonationIn

GIVEN = phrase("entry.donation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Donation:
    """A donation of a person's points, with its ledger key, the hash of the request and the giver's words, if any."""

    scope: Scope
    person_id: UUID
    points: int
    key: str
    request_hash: bytes
    note: str


async def _donate_all(donations: Sequence[Donation]) -> list[Posted | Exception]:
    """Post a batch of donations, one statement for each community. The answers are in the order of the batch."""
    answers: dict[int, Posted | Exception] = {}
    for community_id in {d.scope.community_id for d in donations}:
        places = [n for n, d in enumerate(donations) if d.scope.community_id == community_id]
        together = [donations[n] for n in places]
        found = await _donate_together(together)
        answers.update(zip(places, found, strict=True))
    return [answers[n] for n in range(len(donations))]


_DONATE = """
SELECT s.* FROM (SELECT set_config('timebank.communities', '{' || $1::text || '}', true),
                        set_config('timebank.sessions', ($11::uuid[])::text, true)) AS v (visible, acting),
LATERAL ledger_spend_many(trim(BOTH '{}' FROM v.visible)::uuid,
    ROW(NULL, NULL, NULL, 'donation', $2, $2, NULL, 'donation', NULL, NULL, NULL, NULL, $12, '{}')::ledger_entry,
    $3, $4, $5, $6, $3, $7, $8, $9, 'point', 'donated', $10) AS s
"""


@retried
async def _donate_together(donations: Sequence[Donation]) -> list[Posted | Exception]:
    answers = await database.ask(
        _DONATE, str(donations[0].scope.community_id), clock.now(), [clock.new_id() for _ in donations],
        [d.key for d in donations], [d.request_hash for d in donations], [d.scope.person_id for d in donations],
        [d.note for d in donations], [d.person_id for d in donations], [d.points for d in donations], clock.local_day(),
        [d.scope.session_id for d in donations if d.scope.session_id], GIVEN.kind,
    )  # fmt: skip
    return [_posted_or_refused(answer, donation.points) for answer, donation in zip(answers, donations, strict=True)]


def _posted_or_refused(answer: Any, needed: int) -> Posted | Exception:
    if answer["verdict"] == "insufficient":
        return Insufficient(needed=needed, available=answer["available"])
    if refusal := REFUSALS.get(answer["verdict"]):
        return refusal()
    return Posted(answer["entry_id"], answer["verdict"] == "replayed")


_post: Batcher[Donation, Posted] = Batcher(_donate_all)


async def donate(scope: Scope, given: DonationIn, *, key: str, request_hash: bytes) -> Posted:
    """Donate a resident's own points to the common pool; points that expire first are used first.

    The ledger stores `key`: a repetition returns the first posting. There is no audit row, because the transfer names
    the actor. Raises NotFound for a record that is not an own one, SpendingRests, Insufficient and other refusals of
    the ledger.
    """
    if not scope.is_own(given.person_id):
        raise NotFound
    require_spendable(scope, [given.person_id])
    caller: UUID | None = scope.login_id or scope.person_id
    asked = HASH_VERSION + request_hash
    return await _post(
        Donation(
            scope=scope,
            person_id=given.person_id,
            points=given.points,
            key=f"donation:{caller}:{key}",
            request_hash=asked,
            note=given.note.strip(),
        )
    )
