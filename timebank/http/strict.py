"""Request bodies: refuse unreadable ones, and decode JSON strictly, without coercion ("1" to int, 1 to bool)."""

import msgspec
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException, ValidationException
from litestar.params import BodyKwarg

from timebank.http.callers import FORMS, SAFE_METHODS, AnyRequest, provide_scope
from timebank.http.misfits import misfit

# Invalid UTF-8, an unknown or unsuitable character set, text that UTF-8 cannot write (a lone surrogate of UTF-7), too
# deep nesting: the parsers do not catch these exceptions.
UNREADABLE = (UnicodeError, LookupError, RecursionError)


async def readable_body(request: AnyRequest) -> None:
    """Refuse with 400 a body that cannot be parsed, which would otherwise raise an exception in the framework."""
    if request.method not in SAFE_METHODS and request.content_type[0] in FORMS:
        try:
            for _name, value in (await request.form()).multi_items():
                if isinstance(value, str):
                    value.encode()
        except UNREADABLE as error:
            raise ClientException from error
    elif _takes_json(request):
        try:
            _decode(await request.body(), object)
        except msgspec.ValidationError as error:  # such as a number out of range
            raise ClientException from error


async def strict_body(request: AnyRequest) -> None:
    """Refuse a JSON body that fits its schema only by coercion, which the framework would accept.

    A missing body, or one that is not JSON, is left to the framework to refuse.
    """
    if not _takes_json(request):
        await readable_body(request)
        return
    field = request.route_handler.parsed_data_field
    assert field is not None
    try:
        _decode(await request.body(), field.annotation)
    except msgspec.ValidationError as error:
        if "caller" in request.route_handler.parsed_fn_signature.parameters:
            await provide_scope(request)  # An anonymous request is answered with 401, not with its body's errors.
        path, why = misfit(await request.body(), field.annotation) or ("", str(error))
        named = {"key": path.removeprefix(".") or "body", "message": why, "source": "body"}
        raise ValidationException("the body", extra=[named]) from error


def _takes_json(request: AnyRequest) -> bool:
    field = request.route_handler.parsed_data_field
    if field is None or not isinstance(field.kwarg_definition, BodyKwarg):
        return False
    return field.kwarg_definition.media_type == RequestEncodingType.JSON


def _decode(body: bytes, shape: object) -> None:
    """Raise ValidationError if the body does not match the shape. Malformed JSON is left to the framework."""
    try:
        if body:
            msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise ClientException from error
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return
