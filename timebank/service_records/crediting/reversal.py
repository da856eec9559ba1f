"""Reversal of a record's credit because of an error or a fraud, with a reason and a notification."""

from uuid import UUID

from timebank.core import audit, clock
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.people.messages import notify
from timebank.service_records.crediting.credit import ANYWHERE
from timebank.service_records.reading import find_record
from timebank.service_records.reviews.deciding import DecidedRow, locked_record
from timebank.service_records.schemas import RecordOut
from timebank.service_records.tables import ServiceRecord


class NotCredited(TimebankError):
    code = "not_credited"
    status = 409
    sentence = "这条记录没有入账，或已经冲正过了。"


@retried
async def reverse_record(scope: Scope, record_id: UUID, reason: str) -> RecordOut:
    """Reverse the credit of a record because of an error or a fraud; the person is notified why and may object.

    Points already spent become a debt that later earnings repay. Raises NotCredited, OwnRecord.
    """
    scope.require_admin()
    async with transaction(scope):
        row = await locked_record(scope, record_id)
        if row.status != "approved":
            raise NotCredited
        taken = await take_credit_back(scope, row, _why(row, reason))
        key = f"service:{row.id}:reversal:{row.entry_id}"
        await ServiceRecord.update(
            {
                ServiceRecord.status: "reversed", ServiceRecord.reviewed_by: scope.person_id,
                ServiceRecord.reviewed_at: clock.now(), ServiceRecord.review_note: reason,
            }
        ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
        await audit.record(scope, "reverse_record", "service_record", row.id, reason=reason, about_id=row.person_id)
        await notify(
            scope, row.person_id, "record_reversed", key, row.id,
            at=row.started_at, where=row.where, taken=taken, reason=reason,
        )  # fmt: skip
        return await find_record(scope, record_id)


async def take_credit_back(scope: Scope, row: DecidedRow, memo: Phrase) -> list[Phrase]:
    """Reverse the credit of a record in the ledger, and say what was taken. The caller has locked person and record."""
    if row.entry_id is None:
        return [phrase("taken.nothing")]
    entry = Posting(
        kind="reversal", key=f"service:{row.id}:reversal:{row.entry_id}", source_kind="service_record",
        source_id=row.id, memo=memo,
    )  # fmt: skip
    reversal = await posting.reverse(scope, row.entry_id, entry)
    taken = [phrase("taken.points", points=reversal.taken)]
    taken += [phrase("taken.owed", points=reversal.owed)] if reversal.owed else []
    taken += [phrase("taken.lapsed", points=reversal.lapsed)] if reversal.lapsed else []
    return taken


def _why(row: DecidedRow, reason: str) -> Phrase:
    if row.place == ANYWHERE:
        return phrase("entry.service_anywhere_reversed", reason=reason)
    return phrase("entry.service_reversed", place=row.place, reason=reason)
