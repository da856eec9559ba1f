"""Find the part of a JSON body that does not match its type, by decoding its parts one by one.

The messages of the decoder are passed on, but never parsed."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice, repeat
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Raw, UnsetType

JSON = msgspec.json
BYTES_MAX = 1_000_000
PARTS_MAX = 1_000
NO_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)


class Misfit(NamedTuple):
    """The innermost part that does not match: its path, such as `rows[1].code` or "" for the whole body, and why."""

    path: str
    why: str


def misfit(body: bytes, shape: Any) -> Misfit | None:
    """The first part of a JSON body that does not match its type; None where everything matches.

    Only the whole body is reported where it has more than BYTES_MAX bytes, and where it is no JSON further on: the
    decoder stops at the first misfit and has not read the rest.
    """
    try:
        JSON.decode(body, type=shape)
    except msgspec.ValidationError as error:
        return (_inside(body, shape) if len(body) <= BYTES_MAX else None) or Misfit("", str(error))
    return None


def _inside(body: bytes, shape: Any) -> Misfit | None:
    try:
        for step, part, inner in islice(_parts(body, _arm(body, shape)), PARTS_MAX):
            if found := misfit(bytes(part), inner):
                return Misfit(step + found.path, found.why)
    except NO_JSON:
        pass
    return None


def _arm(body: bytes, shape: Any) -> Any:
    """The type without its constraints; for a union, its only member that can be this object or array, else None."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) not in (Union, UnionType):
        return shape
    arms = [_arm(body, arm) for arm in get_args(shape) if arm not in (NoneType, UnsetType)]
    if _members(body) is not None:
        fitting = [arm for arm in arms if _is_struct(arm) and _has_tag(body, arm)] or [a for a in arms if _is_map(a)]
    elif _items(body) is not None:
        fitting = [arm for arm in arms if _is_list(arm)]
    else:
        fitting = []
    return fitting[0] if len(fitting) == 1 else None


def _parts(body: bytes, shape: Any) -> Iterator[tuple[str, bytes | Raw, Any]]:
    """The parts of an object or array, in the order of the body: the step of the path, the JSON, and its shape."""
    members, items = _members(body), _items(body)
    if members is not None and _is_struct(shape):
        yield from _fields(members, shape)
    elif members is not None and _is_map(shape):
        yield from _entries(members, *get_args(shape))
    elif items is not None and _is_list(shape):
        of = get_args(shape)
        is_fixed = get_origin(shape) is tuple and of[1:] != (...,)
        shapes = of if is_fixed else repeat(of[0])
        yield from ((f"[{number}]", *each) for number, each in enumerate(zip(items, shapes, strict=False)))


def _fields(members: Mapping[str, Raw], shape: Any) -> Iterator[tuple[str, Raw, Any]]:
    known, config = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}, shape.__struct_config__
    for name, part in members.items():
        if name in known:
            yield f".{name}", part, known[name]
        elif config.forbid_unknown_fields and name != config.tag_field:
            return  # the decoder refuses the whole object for this unknown name, before it reads the following ones


def _entries(members: Mapping[str, Raw], key: Any, value: Any) -> Iterator[tuple[str, bytes | Raw, Any]]:
    if value in (None, NoneType):
        return  # this is the `alone` below: there is only a key to check
    alone: Any = dict[key, None]
    for name, part in members.items():
        yield "", JSON.encode({name: None}), alone
        yield "[...]", part, value


def _members(body: bytes) -> dict[str, Raw] | None:
    return JSON.decode(body, type=dict[str, Raw]) if body.lstrip()[:1] == b"{" else None


def _items(body: bytes) -> list[Raw] | None:
    return JSON.decode(body, type=list[Raw]) if body.lstrip()[:1] == b"[" else None


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _has_tag(body: bytes, shape: Any) -> bool:
    """Whether the object is meant as this struct: its tag says so, or it has none."""
    config = shape.__struct_config__
    return config.tag is None or JSON.encode(config.tag) == bytes((_members(body) or {}).get(config.tag_field, b""))


def _is_map(shape: Any) -> bool:
    return get_origin(shape) in (dict, Mapping)


def _is_list(shape: Any) -> bool:
    return get_origin(shape) in (list, tuple, set, frozenset, Sequence, AbstractSet)
