"""A signed POST to the push gateway that the operator has named, such as the one of the town's official account."""

import asyncio
import hashlib
import hmac
import http.client
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from timebank.core import clock, settings
from timebank.core.errors import TimebankError
from timebank.outbox.attempts import ReceiverAway

ANSWER_SECONDS_MAX = 5
AWAY_FOR = timedelta(minutes=1)
"""How long a gateway that does not answer is taken for away. The worker asks for one community after another: without
this, each of a hundred would wait for the same silence, and every other job with them."""
ASK_LATER = frozenset({408, 425, 429})
"""Answers below 500 by which the gateway says that it will take the same request later."""


_away_until: dict[str, datetime] = {}  # by address; of this process alone


class GatewayAway(ReceiverAway):
    code = "push_gateway_away"
    sentence = "推送平台没有应答。请让维护人员看看它是否开着，再点“再送一次”。"


class GatewayMissing(ReceiverAway):
    code = "push_gateway_missing"
    sentence = "还没有设置推送平台的地址。请让维护人员设置 TIMEBANK_PUSH_URL，或在社区规则里关掉推送。"


class GatewayRefused(TimebankError):
    code = "push_gateway_refused"
    status = 502
    sentence = "推送平台不收这一条（它答 {status}）。请把这个数字告诉维护人员。"


async def post_to_gateway(key: str, body: bytes) -> None:
    """Send `body` to the gateway; the header Idempotency-Key lets it recognise a repetition.

    The signature is the HMAC-SHA-256, in hex, of the time in the header Timebank-Time, a dot and the body. A
    redirect is not followed. Raises GatewayMissing, GatewayAway for no answer in time, GatewayRefused for a final one.
    """
    chosen = settings.current()
    if chosen.push_url is None:
        raise GatewayMissing
    until = _away_until.get(chosen.push_url)
    if until is not None and clock.now() < until:
        raise GatewayAway
    moment = str(int(clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json", "Idempotency-Key": key, "Timebank-Time": moment,
        "Timebank-Signature": signature(chosen.push_secret, moment, body),
    }  # fmt: skip
    try:
        async with asyncio.timeout(2 * ANSWER_SECONDS_MAX):
            status = await asyncio.to_thread(_post, chosen.push_url, headers, body)
    except (OSError, http.client.HTTPException) as error:
        _away_until[chosen.push_url] = clock.now() + AWAY_FOR
        raise GatewayAway from error
    if status >= 500 or status in ASK_LATER:
        _away_until[chosen.push_url] = clock.now() + AWAY_FOR
        raise GatewayAway
    if not 200 <= status < 300:
        raise GatewayRefused(status=status)


def signature(secret: bytes, moment: str, body: bytes) -> str:
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the answer, whose body is not read."""
    to = urlsplit(url)
    of = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    connection = of(to.hostname or "", to.port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("POST", f"{to.path or '/'}{'?' if to.query else ''}{to.query}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
