"""What a list is asked for, as its form sends it."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from timebank.core.errors import Invalid
from timebank.core.locale import _

T = TypeVar("T")


def read_filters(fields: Mapping[str, str], shape: type[T]) -> T:
    """The filters in these fields as `shape`. Raises Invalid for a value that is none of a filter's."""
    try:
        return msgspec.convert(dict(fields), shape)
    except msgspec.ValidationError as error:
        raise Invalid(why=_("筛选的条件不对")) from error
