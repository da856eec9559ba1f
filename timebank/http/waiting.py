"""Responses of operations whose change may wait for a second person: 202 with its id and the people who may decide."""

from typing import TypeVar

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec

from timebank.agreements.schemas import Waiting

T = TypeVar("T")
WAITS = {202: ResponseSpec(Waiting, description="The change waits for a second person.", generate_examples=False)}


def status_of(result: object, done: int) -> int:
    """202 if the change waits for a second person, else `done`."""
    return 202 if getattr(result, "waiting", None) is not None else done


def done_or_waiting(result: T, done: int = 201) -> Response[T]:
    return Response(result, status_code=status_of(result, done))
