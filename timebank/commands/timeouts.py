"""How long the service waits for a stranger: nobody holds a connection with half a request or an answer not taken.

A body that stands still is told as an error of ours (timebank/http/answering.py); the rest only the connection sees.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.http.answering import BODY_SECONDS_MAX, BodyCutShort, bare_problem, log_request, new_request_id
from timebank.http.problems import BadRequest

HEAD_SECONDS_MAX = 10
"""Time for the headers of a request, from the start of the connection or of the request."""
HEAD_BYTES_MAX = 64 * 1024
REST_SECONDS_MAX = BODY_SECONDS_MAX
"""Time for the rest of a request body whose response was sent already."""
TAKE_SECONDS_MAX = 60
"""Time during which a client may read nothing of a response that is being sent."""


class HeadTooLarge(TimebankError):
    code = "headers_too_large"
    status = 431
    sentence = "请求的地址或标头太长了。请清除本站的 Cookie 后再试。"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with timeouts; uvicorn itself waits for a request or a reader without limit."""

    _waiting: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _in_head = True
    _has_begun = False  # the first byte of a request has come, and its last has not
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        super().connection_made(transport)
        self._wait(HEAD_SECONDS_MAX, self._give_up_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or not self._in_head:
            return
        if self._has_begun and self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(HeadTooLarge())
        elif self._waiting is None and (self._has_begun or self._is_idle()):
            self._wait(HEAD_SECONDS_MAX, self._give_up_head)

    def on_message_begin(self) -> None:
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._has_begun, self._head_bytes = True, False, 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head and not self.pipeline and not self.transport.is_closing():
            self._wait(REST_SECONDS_MAX, self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(TAKE_SECONDS_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # the server's English words
        self._refuse(BadRequest(why=_("不是完整的 HTTP 请求")))

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is None or cycle.response_complete

    def _give_up_head(self) -> None:
        if not self._is_idle():
            self.cycle.keep_alive = False  # The answer to the request before still goes out.
        elif self._has_begun:
            self._refuse(BodyCutShort())
        else:
            self.transport.close()

    def _refuse(self, error: TimebankError) -> None:
        """Answer an incomplete or invalid request with an error, if no response has begun, and close the connection."""
        if self._is_idle() or not self.cycle.response_started:
            request_id = new_request_id()
            body, headers = bare_problem(error, request_id)
            lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
            self.transport.write(STATUS_LINE[error.status] + lines + b"\r\n" + body)
            log_request(request_id, error.status)
        self.transport.close()

    def _wait(self, seconds: float, give_up: Callable[[], None]) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(seconds, give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
