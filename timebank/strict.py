"""JSON bodies taken at their word: "1" is no number, 1 is no truth, and a number is no time."""

import msgspec
from litestar.enums import RequestEncodingType
from litestar.exceptions import ValidationException
from litestar.params import BodyKwarg

from timebank.access.callers import AnyRequest, provide_scope


async def strict_body(request: AnyRequest) -> None:
    """Refuse a body that the framework, which reads leniently, would bend into its schema.

    What is no JSON at all, or missing, is refused by the framework in its own words.
    """
    field = request.route_handler.parsed_data_field
    if field is None or not isinstance(field.kwarg_definition, BodyKwarg):
        return
    body = await request.body() if field.kwarg_definition.media_type == RequestEncodingType.JSON else b""
    try:
        if body:
            msgspec.json.decode(body, type=field.annotation)
    except msgspec.ValidationError as error:
        if "caller" in request.route_handler.parsed_fn_signature.parameters:
            await provide_scope(request)  # Who is nobody is told so first.
        message, _, place = str(error).partition(" - at `$")
        key = place.strip("`.") or "body"
        raise ValidationException("the body", extra=[{"key": key, "message": message, "source": "body"}]) from error
    except msgspec.DecodeError:
        return
