"""Idempotency: a request repeated with its Idempotency-Key gets the stored answer and has no further effect."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType

from timebank.access.stored_answers import claim_key, store_answer, stored_answer
from timebank.core import database, vault
from timebank.core.database import RanIntoAnother, retried
from timebank.core.errors import BUSY_SECONDS, TimebankError
from timebank.core.scope import Scope
from timebank.http.callers import FORMS, AnyRequest
from timebank.http.waiting import status_of

KEY_MAX = 100
FORM_VERSION = b"\x02"  # before it, a form was hashed as it was sent, without a version


class KeyMissing(TimebankError):
    code = "idempotency_key_missing"
    status = 400
    sentence = "这个请求要带 Idempotency-Key（1 到 100 个可见字符），重试时用同一个。"


class KeyReused(TimebankError):
    code = "idempotency_key_reused"
    status = 422
    sentence = "这个 Idempotency-Key 已用于另一个请求。请换一个新的。"


class StillRunning(TimebankError):
    code = "request_still_running"
    status = 409
    sentence = "上一次同样的请求还在办理，请过几秒再看结果。"
    retry_after = BUSY_SECONDS


class Idempotency:
    """Carries a request out at most once per community, caller and key. `provide_idempotency` makes one per request."""

    def __init__(self, key: str | None, request_hash: bytes, former_hash: bytes | None = None) -> None:
        self.key = key
        self.request_hash = request_hash
        self.former_hash = former_hash  # the hash of the same request in an earlier version

    async def answer(
        self, scope: Scope, verb: Callable[[], Awaitable[object]], *, status: int = 201, required: bool = True,
        locks: Sequence[UUID] = (),
    ) -> Response[bytes]:  # fmt: skip
        """Run the verb and store its answer in one transaction; a repetition gets the stored answer.

        An error is not stored, since it changed nothing: the same key may be retried. With `required` False a request
        may come without a key and is then carried out each time. `locks`: the rows that the verb locks, where it may
        share a transaction (`database.shared`). Raises KeyMissing, KeyReused and StillRunning.
        """
        if self.key is None and not required:
            result = await verb()
            return _response(status_of(result, status), msgspec.json.encode(result), replayed=False)
        key = self.required_key()
        return await self._attempt(scope, key, verb, status, locks)

    def required_key(self) -> str:
        """The request's key. Raises KeyMissing."""
        if self.key is None:
            raise KeyMissing
        return self.key

    def posted(self, result: object, *, replayed: bool, status: int = 201) -> Response[bytes]:
        """The response of a verb that keeps the key in the ledger and so knows whether this was a repetition."""
        return _response(status, msgspec.json.encode(result), replayed=replayed)

    @retried
    async def _attempt(
        self, scope: Scope, key: str, verb: Callable[[], Awaitable[object]], status: int, locks: Sequence[UUID]
    ) -> Response[bytes]:
        return await database.shared(scope, locks, partial(self._answer_once, scope, key, verb, status))

    async def _answer_once(
        self, scope: Scope, key: str, verb: Callable[[], Awaitable[object]], status: int
    ) -> Response[bytes]:
        # Keyed by device at a counter, so that a retry is recognised after another keeper has signed on.
        caller = scope.device_id or scope.login_id or UUID(int=0)
        if not await self._is_first(scope, caller, key):
            return await self._replay(scope, caller, key)
        result = await verb()
        body, status = msgspec.json.encode(result), status_of(result, status)
        sealed = vault.seal(body.decode(), self._row(caller, key, self.request_hash, status))
        store_answer(scope.community_id, caller, key, status, sealed)
        return _response(status, body, replayed=False)

    async def _is_first(self, scope: Scope, caller: UUID, key: str) -> bool:
        """Claim the key; False if used. Waits for a running request with this key, at most until StillRunning."""
        try:
            return await claim_key(scope.community_id, caller, key, self.request_hash)
        except database.LOCK_NOT_AVAILABLE as error:
            raise StillRunning from error

    async def _replay(self, scope: Scope, caller: UUID, key: str) -> Response[bytes]:
        stored = await stored_answer(scope.community_id, caller, key)
        if stored is None:
            raise RanIntoAnother  # The request that was using the key has failed: it is free again.
        if stored.request_hash not in (self.request_hash, self.former_hash):
            raise KeyReused
        body = stored.body
        if body[:1] == vault.VERSION:  # An answer stored before answers were encrypted has none.
            row = self._row(caller, key, stored.request_hash, stored.status)
            body = vault.unseal(body, row).encode()
        return _response(stored.status, body, replayed=True)

    def _row(self, caller: UUID, key: str, request_hash: bytes, status: int) -> str:
        """The associated data of an encrypted answer, so that it cannot be decrypted in another row."""
        return f"answer:{caller}:{status}:{request_hash.hex()}:{key}"


def _response(status: int, body: bytes, *, replayed: bool) -> Response[bytes]:
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


async def provide_idempotency(request: AnyRequest, caller: NamedDependency[Scope]) -> Idempotency:  # noqa: ARG001  # inject the caller first: anonymous is 401
    """Read the idempotency key and hash the request: method, path and body. A page's form has the key in `_key`.

    A form is hashed by its fields without `_key` and `_csrf`: the CSRF token and the multipart boundary may differ when
    the same form is sent again.
    """
    key, fields = request.headers.get("Idempotency-Key"), None
    if request.content_type[0] in FORMS:
        form = await request.form()
        if key is None:
            field = form.get("_key")
            key = field if isinstance(field, str) else None
        fields = [(name, await _said(value)) for name, value in form.multi_items() if name not in ("_key", "_csrf")]
    if key is not None and not (0 < len(key) <= KEY_MAX and key.isprintable()):
        raise KeyMissing
    place = f"{request.method} {request.scope['path']}\n".encode()
    if fields is None:
        return Idempotency(key, hashlib.sha256(place + await request.body()).digest())
    told = FORM_VERSION + hashlib.sha256(place + msgspec.json.encode(fields)).digest()
    if request.content_type[0] == RequestEncodingType.MULTI_PART:
        return Idempotency(key, told)  # it was read as a stream, which is over, and was never hashed as it was sent
    return Idempotency(key, told, hashlib.sha256(place + await request.body()).digest())


async def _said(value: object) -> object:
    """A form's value for the hash; a file gives its name and the hash of its content."""
    if not isinstance(value, UploadFile):
        return value
    content = await value.read()
    await value.seek(0)
    return [value.filename, hashlib.sha256(content).hexdigest()]
