"""What a capability adds to the page of a resident in the panel: tabs, and figures in the header."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """How a tab is read: from which row on, and in which language."""

    cursor: str | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentPart:
    """A tab of a resident's page in the panel, at `?part=name`. Tabs are sorted by `place`.

    `read` is called with scope, person id and `Reading`, after the reader's right to open the person has been checked,
    and runs beside what the header reads. Its answer is `found` in `template`, which is included in the page; a list is
    a page by keyset (`core.paging.Page`).
    """

    name: str
    place: int
    word: str
    """Marked for translation."""
    template: str
    read: str
    on_paper: bool = False
    """Whether its newest rows are on the page that is printed."""
    context: str = ""
    """The gettext context, needed where one Chinese word has two English translations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentAct:
    """What an administrator does for a resident, as a button in the header of the page; sorted by `place`.

    `href` is the address of its form, with `{id}` for the person's. It is offered for active residents, and never for
    the administrator's own record.
    """

    place: int
    word: str
    """Marked for translation."""
    href: str
    icon: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure in the header of a resident's page.

    `word` is marked for translation; `text` and `rows`, which stand below it, are in the language of the reader.
    `part` is the tab that gives the reason behind it.
    """

    place: int
    word: str
    text: str
    kind: Literal["", "points", "wait", "wrong", "good"] = ""
    rows: Sequence[str] = ()
    part: str | None = None
