"""What a counter offers the person who stands there: large buttons, and parts of the page, from every capability."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from timebank.core.wording import Said


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands at which counter.

    `presence` is the nonce of the scan that proves it; None for somebody found by name, who spends nothing.
    """

    person_id: UUID
    station_id: UUID
    presence: str | None


class CounterButton(msgspec.Struct, frozen=True, kw_only=True):
    """One tap: a form that posts `fields` to `path`. It gets a new key and a new nonce when it is shown."""

    path: str
    text: Said
    note: Said | None = None
    icon: str | None = None
    fields: Mapping[str, object] = {}
    is_quiet: bool = False


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What one capability offers: buttons, and the template of a part of the page, which finds `shown` as `offer`."""

    buttons: Sequence[CounterButton] = ()
    part: str | None = None
    shown: Any = None
