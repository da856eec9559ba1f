"""When the next attempt of a delivery is due, and what is kept of a failure: decisions without a database."""

from datetime import datetime, timedelta

from timebank.core.errors import TimebankError

ATTEMPTS_MAX = 8
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


class ReceiverAway(TimebankError):
    """Raised by a deliverer whose receiver answers nobody: the other rows of the kind wait as well."""

    code = "receiver_away"
    status = 503
    sentence = "对方的服务没有应答。请确认它开着、网络通，再点“再送一次”。"


class DeliveryFailed(TimebankError):
    code = "delivery_failed"
    status = 500
    sentence = "送的时候程序出了错。请把这一条的时间告诉维护人员；修好以后再点“再送一次”。"


class DeliveryInterrupted(TimebankError):
    code = "delivery_interrupted"
    status = 503
    sentence = "几次都是送到一半服务停了。请让维护人员看看后台进程为什么停，再点“再送一次”。"


def next_attempt(attempts: int, now: datetime) -> datetime:
    """When the attempt after this one, the `attempts`-th, is due: one minute later, then twice as long, up to an hour.

    It is stored before the attempt begins, so that a killed worker's row is taken up again.
    """
    return now + min(FIRST_PAUSE * (1 << (attempts - 1)), LONGEST_PAUSE)


def is_last(attempts: int) -> bool:
    return attempts >= ATTEMPTS_MAX


def failure_of(error: Exception) -> dict[str, object]:
    """What is kept of a failure: its code and its numbers. Other values might name somebody."""
    refusal = error if isinstance(error, TimebankError) else DeliveryFailed()
    return {"code": refusal.code, "values": {n: v for n, v in refusal.values.items() if type(v) is int}}


def failure_in_words(code: str, values: dict[str, int], language: str) -> str:
    """The sentence of a kept failure."""
    return TimebankError.by_code.get(code, DeliveryFailed)(**values).text(language)
