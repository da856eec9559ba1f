"""Read a page's form: convert its text fields to a struct, or refuse with the label of the wrong field."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import msgspec

from timebank.core.errors import Invalid
from timebank.http.callers import AnyRequest

T = TypeVar("T", bound=msgspec.Struct)


def parse_form(
    shape: type[T], fields: Mapping[str, str], labels: Mapping[str, str], *, empties: bool = False, emptied: str = "",
) -> T:  # fmt: skip
    """Convert the fields that `labels` names to `shape`. A blank field is left out, or None with `empties`.

    The field `emptied` is the empty text where it is blank: it is emptied, and not left unchanged. Raises Invalid with
    the label of the field that does not fit.
    """
    sent = {name: fields[name] for name in labels if name in fields}
    if emptied and not sent.get(emptied, "").strip():
        sent.pop(emptied, None)
        return msgspec.structs.replace(parse_form(shape, sent, labels, empties=empties), **{emptied: ""})
    given = {name: text if text.strip() else None for name, text in sent.items() if text.strip() or empties}
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(why=labels.get(_first_misfit(given, shape), "")) from error


def _first_misfit(given: Mapping[str, str | None], shape: type) -> str:
    """The name of the first field that does not fit, else of the first that is missing."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name, text in given.items():
        try:
            if name in fields:
                msgspec.convert(text, fields[name].type, strict=False)
        except msgspec.ValidationError:
            return name
    return next((name for name, field in fields.items() if field.required and name not in given), "")


def local_path(path: str | None) -> str:
    """`path` if it is a path of this site, otherwise "/": a redirect must not lead to another site."""
    inside = path is not None and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside and path else "/"


async def chosen(request: AnyRequest, name: str) -> list[UUID]:
    """The ids that the form sent under `name`; values that are not UUIDs are ignored."""
    sent = (await request.form()).getall(name, [])
    return [known for each in sent if isinstance(each, str) and (known := _uuid(each))]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
