"""What every capability shows at a counter: buttons and parts for who stands there, and what a counter always shows."""

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


class CounterLineShown(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a counter always shows: a word with its number, and a list that a tap opens.

    `rows` are pairs of a text and a note, as they are shown on the line and in the list; `more` are not among them.
    `link` is where the rest is, with its words. `warns` sets it apart.
    """

    text: Said
    rows: Sequence[tuple[str, str]] = ()
    more: int = 0
    link: tuple[str, Said] | None = None
    warns: bool = False
