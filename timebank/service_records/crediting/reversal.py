"""Reversal of a record's credit because of an error or a fraud, with a reason and a notification."""

from uuid import UUID

from timebank.core import audit, clock
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Memo, at_clock, memo
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.people.messages import notify
from timebank.service_records.crediting.credit import ANYWHERE
from timebank.service_records.deciding import DecidedRow, locked_record
from timebank.service_records.reading import find_record
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
        taken, key = "没有积分变动", f"service:{row.id}:reversal:{row.entry_id}"
        if row.entry_id is not None:
            entry = Posting(
                kind="reversal",
                key=key,
                source_kind="service_record",
                source_id=row.id,
                memo=_why(row, reason),
            )
            reversal = await posting.reverse(scope, row.entry_id, entry)
            taken = f"退回 {reversal.taken} 分" + (f"，欠账 {reversal.owed} 分由以后所得补还" if reversal.owed else "")
            taken += f"，{reversal.lapsed} 分早已到期，不再另扣" if reversal.lapsed else ""
        await ServiceRecord.update(
            {
                ServiceRecord.status: "reversed", ServiceRecord.reviewed_by: scope.person_id,
                ServiceRecord.reviewed_at: clock.now(), ServiceRecord.review_note: reason,
            }
        ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
        await audit.record(scope, "reverse_record", "service_record", row.id, reason=reason)
        text = f"您 {at_clock(row.started_at)} 在{row.place}的服务已冲正，{taken}。原因：{reason[:250]}"
        text += " 如不同意，请在「我的服务」里点开这一次提出异议，或找社区管理员。"
        await notify(scope, row.person_id, "record_reversed", text, key, row.id)
        return await find_record(scope, record_id)


def _why(row: DecidedRow, reason: str) -> Memo:
    if row.place == ANYWHERE:
        return memo("service_anywhere_reversed", reason=reason)
    return memo("service_reversed", place=row.place, reason=reason)
