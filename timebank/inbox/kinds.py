"""The kinds of the inbox as the manifests declare them, and what their verbs take and return."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import clock
from timebank.core.capability import Batches, InboxKind, capabilities, capabilities_of, resolve
from timebank.core.database import Filters
from timebank.core.errors import NotFound
from timebank.core.paging import Page
from timebank.core.scope import Scope

MANY_MAX = 5_000
"""At most so many rows are looked at to find those that the caller may decide, and decided together."""
Decision = Literal["approve", "reject"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The filter of a list; None is not asked for. `doubtful`: with any flag at all.

    `single` leaves out what an import has made, which is shown as one group for each import.
    """

    activity_id: UUID | None = None
    station_id: UUID | None = None
    rule: str | None = None
    batch_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    flag: str | None = None
    doubtful: bool = False
    single: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A row that waits. `who` names those who may decide what the caller may not decide (`mine` False)."""

    id: UUID
    title: str
    what: list[str]
    began_at: datetime
    ended_at: datetime | None = None
    minutes: int | None = None
    points: int | None = None
    doubts: list[str] = []
    notes: list[str] = []
    mine: bool
    alone: str = ""
    """Why it is decided on its own page alone, and not together with others."""
    who: list[str] = []
    href: str | None = None


class Decidable(msgspec.Struct, frozen=True):
    """How many rows wait, how many of these are flagged, how many the caller may decide, and those of them (`many`)
    that may be decided together, in the order in which their people are locked.

    At most MANY_MAX rows are looked at: `is_cut` says that there are more.
    """

    waiting: int
    doubtful: int
    mine: int
    many: list[UUID]
    is_cut: bool = False


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What waits of one import. `who` is empty if the caller may decide it."""

    batch_id: UUID
    waiting: int
    people: int
    doubtful: int
    minutes: int | None
    since: date
    until: date
    mine: bool
    who: list[str] = []
    name: str = ""


def inbox_kinds(scope: Scope | None = None) -> list[InboxKind]:
    """Every kind, or those that the scope's community has, in the order of their places."""
    brought = capabilities() if scope is None else capabilities_of(scope)
    return sorted((kind for one in brought for kind in one.inbox), key=lambda kind: kind.place)


async def decidable(scope: Scope, kind: InboxKind, asked: Asked | None = None) -> Decidable:
    """How much of this kind waits, and what of it the caller may decide."""
    found: Decidable = await resolve(kind.decidable)(scope, asked or Asked())
    return found


async def listing(
    scope: Scope, kind: InboxKind, asked: Asked, limit: int, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """One page of what waits of this kind, doubtful ones first, then the oldest."""
    found: Page[Item] = await resolve(kind.listing)(scope, asked, limit, cursor, language)
    return found


def kind_of(noun: str) -> InboxKind:
    """The kind of this noun. Raises NotFound."""
    found = next((kind for kind in inbox_kinds() if kind.noun == noun), None)
    if found is None:
        raise NotFound
    return found


def flags_of(kind: InboxKind) -> Mapping[str, str]:
    """The words of the kind's flags, by flag."""
    words: Mapping[str, str] = resolve(kind.flags) if kind.flags else {}
    return words


def address_of(kind: InboxKind, item_id: UUID) -> str:
    """The address of a row's own page, or of the kind's page."""
    addresses = {noun: address for one in capabilities() for noun, address in one.panel.items()}
    return f"{addresses[kind.noun]}{item_id}" if kind.noun in addresses else kind.page


def batches() -> Batches | None:
    return next((one.batches for one in capabilities() if one.batches), None)


def add_asked(asked: Asked, to: Filters, *, row: str, at: str, flags: str) -> None:
    """Add the conditions of a filter for a row (its alias) with `activity_id`, `station_id`, a moment and flags."""
    to.add_given(f"{row}.activity_id = {{}}", asked.activity_id)
    to.add_given(f"{row}.station_id = {{}}", asked.station_id)
    if asked.since:
        to.add(f"{at} >= {{}}", clock.day_bounds(asked.since)[0])
    if asked.until:
        to.add(f"{at} < {{}}", clock.day_bounds(asked.until)[1])
    to.add_given(f"{flags} @> ARRAY[{{}}]::text[]", asked.flag)
    if asked.doubtful:
        to.add(f"{flags} <> '{{{{}}}}'")
    add_batch(asked, to, f"{row}.id")
    to.sql += f" AND {undecided(f'{row}.id')}"


def add_batch(asked: Asked, to: Filters, row_id: str) -> None:
    """Add the condition on the import that has made the row."""
    made = batches()
    if made is None:
        return
    if asked.batch_id is not None:
        to.add(
            f"{row_id} IN (SELECT made.noun_id FROM ({made.rows}) AS made WHERE made.batch_id = {{}})",  # noqa: S608  # declared in a manifest
            asked.batch_id,
        )
    elif asked.single:
        to.sql += f" AND NOT EXISTS (SELECT FROM ({made.rows}) AS made WHERE made.noun_id = {row_id})"


def undecided(row_id: str) -> str:
    """SQL condition: no decision about many that is pending or under way has chosen the row (an SQL expression)."""
    return (
        "NOT EXISTS (SELECT FROM mass_decision_item taken WHERE taken.community_id = $1 "
        f"AND taken.noun_id = {row_id} AND taken.outcome IS NULL)"
    )
