"""The base class of every refusal and the general refusals: a stable code and one sentence that says what to do."""

from typing import ClassVar, Self

from timebank.core.locale import put_together

BUSY_SECONDS = 2


class TimebankError(Exception):
    """A refusal. Subclasses are defined beside the verb that raises them.

    `code` is stable and documented; `sentence` is Chinese, with named values; `constraint` names the database
    constraints whose violation means this error; `retry_after` is the number of seconds after which the same request
    may succeed.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 422
    sentence: ClassVar[str] = "这一步没有成功，请再试一次。"
    constraint: ClassVar[str | tuple[str, ...] | None] = None
    retry_after: int | None = None

    by_constraint: ClassVar[dict[str, type["TimebankError"]]] = {}
    by_code: ClassVar[dict[str, type["TimebankError"]]] = {}

    def __init_subclass__(cls) -> None:
        TimebankError.by_code[cls.code] = cls
        names = (cls.constraint,) if isinstance(cls.constraint, str) else cls.constraint or ()
        for name in names:
            TimebankError.by_constraint[name] = cls

    def __init__(self, **values: object) -> None:
        super().__init__(self.code)
        self.values = values

    @classmethod
    def from_constraint(cls) -> Self:
        """The error for a violated constraint, without values for its sentence."""
        return cls()

    def text(self, language: str = "zh") -> str:
        """The sentence in a language, with its values."""
        return put_together(self.sentence, self.values, language)

    def __str__(self) -> str:
        return self.text()


class NotFound(TimebankError):
    code = "not_found"
    status = 404
    sentence = "没有找到。它可能已被删除，或不在您的社区。"


class NotUsedHere(TimebankError):
    """What the community has not switched on."""

    code = "not_used_here"
    status = 404
    sentence = "这个社区还没有启用这一项。需要的话，请社区管理员在“规则”里打开。"


class Forbidden(TimebankError):
    code = "forbidden"
    status = 403
    sentence = "您的身份不能做这一步。请找社区管理员。"


class Unauthenticated(TimebankError):
    code = "unauthenticated"
    status = 401
    sentence = "请先登录。"


class Invalid(TimebankError):
    code = "invalid"
    status = 422
    sentence = "填写的内容不对：{why}"


class Busy(TimebankError):
    code = "busy"
    status = 503
    sentence = "现在人多，请过几秒再试一次。"
    retry_after = BUSY_SECONDS


class Unavailable(TimebankError):
    """The service cannot answer any request for now.

    A subclass states the reason for the operator, in the log; users and programs get the sentence of this class.
    """

    code = "unavailable"
    status = 503
    sentence = "系统暂时不能用，请过几分钟再试。已经记下的时间和积分都在。"
    retry_after = 5


class Conflict(TimebankError):
    code = "conflict"
    status = 409
    sentence = "已经有一样的了。"


class Unexpected(TimebankError):
    """A fault of the program. `request_id` identifies its line in the log."""

    code = "internal_error"
    status = 500
    sentence = "系统出了错，您的数据没有改动。请把编号 {request_id} 告诉管理员。"


def reason_of(error: BaseException) -> str:
    """The message of an error in one line, for the operator; never empty."""
    if isinstance(error, TimeoutError) and not error.args:
        return "等了太久没有答复"
    said = (error.strerror if isinstance(error, OSError) else None) or str(error).strip().partition("\n")[0]
    return said or type(error).__name__


class RanIntoAnother(Exception):
    """Raised by a verb that lost a race with another request: `retried` rolls it back and runs it again."""
