"""What a page's form has sent: words in, a checked shape out, or a sentence that names the field."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import msgspec

from timebank.core.errors import Invalid
from timebank.http.callers import AnyRequest

T = TypeVar("T")


def filled(shape: type[T], fields: Mapping[str, str], labels: Mapping[str, str], *, empties: bool = False) -> T:
    """The form's fields that `labels` names, as `shape`. A blank one counts as not filled in, or as emptied.

    Raises Invalid with the label of the first field that does not fit.
    """
    sent = {name: fields[name] for name in labels if name in fields}
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
    """A path of this site to go on to; the first page where it is anything else."""
    inside = path is not None and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside and path else "/"


async def chosen(request: AnyRequest, name: str) -> list[UUID]:
    """The ids that were ticked under a name; what is no id is left out."""
    sent = (await request.form()).getall(name, [])
    return [known for each in sent if isinstance(each, str) and (known := _uuid(each))]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
