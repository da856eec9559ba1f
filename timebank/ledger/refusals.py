"""The refusals of the ledger, and the verdicts of the database functions that they stand for."""

from timebank.core.errors import TimebankError


class Insufficient(TimebankError):
    code = "insufficient_points"
    status = 422
    sentence = "积分不够：需要 {needed} 分，可用 {available} 分。"


class InsufficientClassMinutes(TimebankError):
    code = "insufficient_class_minutes"
    status = 422
    sentence = "课时不够：需要 {needed} 分钟，可用 {available} 分钟。请先用积分换课时。"


class AccountClosed(TimebankError):
    code = "account_closed"
    status = 422
    sentence = "这个账户已停用，不能收支。请找社区管理员。"


class LedgerKeyReused(TimebankError):
    code = "ledger_key_reused"
    status = 422
    sentence = "这笔账已用同样的编号记过另一件事，没有再记。"


class HoldClosed(TimebankError):
    code = "hold_closed"
    status = 409
    sentence = "这笔预留已经办完了，不能再办一次。"


class AlreadyReversed(TimebankError):
    code = "already_reversed"
    status = 409
    sentence = "这笔账已经冲正过了。"


class NotReversible(TimebankError):
    code = "not_reversible"
    status = 422
    sentence = "这笔账不能冲正：预留请取消，冲正本身不再冲正。"


class ExpiryTakenBack(TimebankError):
    code = "expiry_taken_back"
    status = 409
    sentence = "这笔到期的积分，后来冲正时已经收回，没有可撤回的了。"


class PastGrace(TimebankError):
    code = "expiry_past_grace"
    status = 422
    sentence = "这些积分的宽限期也过了，冲正后也不能再用，所以没有冲正。"


class PurchaseNotReversible(TimebankError):
    code = "purchase_not_reversible"
    status = 422
    sentence = "买课时的账不冲正。请在课程页把没用的课时退回积分，或转到别的课。"


class EntryNotFound(TimebankError):
    code = "entry_not_found"
    status = 404
    sentence = "没有找到这笔账。"


REFUSALS: dict[str, type[TimebankError]] = {
    "closed": AccountClosed,
    "key_reused": LedgerKeyReused,
    "not_found": EntryNotFound,
    "already_closed": HoldClosed,
    "already_reversed": AlreadyReversed,
    "not_reversible": NotReversible,
    "taken_back": ExpiryTakenBack,
    "past_grace": PastGrace,
    "class_hours": PurchaseNotReversible,
}
