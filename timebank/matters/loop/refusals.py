"""What the verbs of the loop refuse."""

from timebank.core.errors import TimebankError


class MatterMovedOn(TimebankError):
    code = "matter_moved_on"
    status = 409
    sentence = "这件事现在是“{now}”，不能这样做了。请刷新再看。"


class MatterAlreadyTaken(TimebankError):
    code = "matter_already_taken"
    status = 409
    sentence = "已经有人先接了，谢谢您。请看看别的。"


class ReturnNotPossible(TimebankError):
    code = "return_not_possible"
    status = 409
    sentence = "这次派单是上级定的，不能再退回。有困难请提问或申请延期。"


class ReasonMissing(TimebankError):
    code = "reason_missing"
    status = 422
    sentence = "请写明原因，对方会看到。"


class PhotoMissing(TimebankError):
    code = "photo_missing"
    status = 422
    sentence = "这类事要附一张办好后的照片才能办结。"


class NotTheReporter(TimebankError):
    code = "not_the_reporter"
    status = 403
    sentence = "只有反映的人（或这件事为谁办）才能这样做。"


class PartyToMatter(TimebankError):
    code = "party_to_matter"
    status = 403
    sentence = "这件事与您或您家有关（反映人、帮忙的人、承办人、同户、同一人的另一个账号），请由另一位或上一级来办。"


class AlreadyRated(TimebankError):
    code = "already_rated"
    status = 409
    sentence = "这一次办理已经评价过了。"


class ReopenTooLate(TimebankError):
    code = "reopen_too_late"
    status = 409
    sentence = "办结已经超过 {days} 天，不能重办。还有问题的话，请重新反映。"


class PostponedTooLong(TimebankError):
    code = "postponed_too_long"
    status = 422
    sentence = "最多延到 {until}，而且只能延一次。要更久的话，请上一级来批。"


class ServedNotAsked(TimebankError):
    code = "served_not_asked"
    status = 422
    sentence = "还没有问过被服务的人。请本人在手机上或刷卡确认，或打电话问过后代为登记，再核实。"


class OwnOrder(TimebankError):
    code = "own_order"
    status = 403
    sentence = "自己或家里人的点单、心愿，要由别人来接。"


class WishGoesToStation(TimebankError):
    code = "wish_goes_to_station"
    status = 422
    sentence = "心愿物品请送到驿站交给站长。站长收下，就算办好了。"


class WishNotCollected(TimebankError):
    code = "wish_not_collected"
    status = 409
    sentence = "心愿物品还在驿站等人来领，领走以后再评价、核实。"


class NotVetted(TimebankError):
    code = "not_vetted"
    status = 403
    sentence = "上门的事只交给社区核实过的人：请先加入班组，或请社区核对您的技能证明。"


class LeavesOwnGrid(TimebankError):
    code = "leaves_own_grid"
    status = 403
    sentence = "您自己负责原来的网格，不能把事改到别的网格去。请由接收的网格长、另一位管理员或上一级来改。"


class NoHigherLevel(TimebankError):
    code = "no_higher_level"
    status = 422
    sentence = "已经是最高一级，不能再上报。"


class NoLowerLevel(TimebankError):
    code = "no_lower_level"
    status = 422
    sentence = "这类事最低由这一级办，不能再往下交。"


class ReportsWait(TimebankError):
    code = "reports_wait"
    status = 422
    sentence = (
        "这位居民近三个月有 3 件反映核实不属实，新的反映要先核实再派人，这段时间不记分。"
        "不服的，可以对那几次核实提异议。"
    )
