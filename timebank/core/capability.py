"""The manifest types. Each capability declares one `Capability` in its `capability.py`; every list is read from these.

A manifest holds only data. It names code by dotted path, which is imported on first use, so a manifest imports no code
of its capability: the ledger check and the worker load no pages, and a lower layer can read what a higher one declares.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic job that runs in every community: `verb` is called with the system scope of each."""

    name: str
    every_seconds: int
    verb: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A periodic job that belongs to no community: `verb` is called without arguments."""

    name: str
    every_seconds: int
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """An entry of the panel's menu. Entries are sorted by `place`; `word` is marked for translation.

    `readers` says who sees it: "all" who read the whole community, "part": grid workers, who read a part, or "both".
    """

    place: int
    href: str
    icon: str
    word: str
    context: str = ""
    """The gettext context, needed where one Chinese word has two English translations."""
    readers: Literal["all", "part", "both"] = "all"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A kind of change that waits for a second person: its `agreements.kinds.Kind` and its verbs.

    `carry_out` makes the change once it is agreed to; None for a change that is already in force and only has to be
    seen. `stands_now` reads the present value, to be compared with the value at the time of the proposal.
    """

    kind: str
    carry_out: str | None = None
    stands_now: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of row that ledger entries refer to. `noun` is the `source_kind` of their transfers.

    `entries` are the kinds of transfer that may name it. Each SELECT reads the rows of one community ($1).
    """

    noun: str
    entries: Sequence[str]
    reversed_by: str | None = None
    """The verb that reverses an entry of this source."""
    holds: str | None = None
    """SELECT of `id, entry_id, is_open` of the rows that holds are for, if it holds points or class time."""
    credited: str | None = None
    """SELECT of `id, person_id` of the rows that credits are for, if it credits a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """The manifest of one capability. `package` is its dotted path; "" means `timebank.<name>`."""

    name: str
    package: str = ""
    tables: str | None = None
    """The module of its table classes."""
    api: Sequence[str] = ()
    """Controllers and handlers of the JSON API, below /api/v1."""
    pages: Sequence[str] = ()
    """Controllers and handlers of pages: of residents, counters, displays, the board and the panel."""
    menu: Sequence[MenuEntry] = ()
    jobs: Sequence[Job] = ()
    sweeps: Sequence[Sweep] = ()
    invariants: str | None = None
    """A tuple of `ledger.invariants.Invariant` that must hold between its own rows and the ledger's rows."""
    sources: Sequence[Source] = ()
    statement: Mapping[str, str] = field(default_factory=dict)
    """Words for its entries on a statement. Key: the entry's kind, or `source_kind:kind`, which takes precedence."""
    agreed: Sequence[Agreed] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)
    """Verbs that a layer below calls, by the name that it knows them by: see `hook`."""
    audit: Mapping[str, str] = field(default_factory=dict)
    """Words for its verbs in the audit, by verb."""

    @property
    def folder(self) -> Path:
        """The folder of the package; its templates are in `templates/` below it."""
        package = import_module(self.package or f"timebank.{self.name}")
        return Path(package.__path__[0])


_added: list[Capability] = []


def capabilities() -> Sequence[Capability]:
    """Every capability of the service, in the order of `timebank.capabilities`."""
    return (*import_module("timebank.capabilities").CAPABILITIES, *_added)


@contextmanager
def also(*more: Capability) -> Iterator[None]:
    """Add further capabilities until the block ends; for tests."""
    _added.extend(more)
    try:
        yield
    finally:
        del _added[-len(more) :]


def hook(name: str) -> Any:
    """The verb that some capability declares for a call from below. Exactly one declares it."""
    (path,) = [one.hooks[name] for one in capabilities() if name in one.hooks]
    return resolve(path)


@cache
def resolve(path: str) -> Any:
    """Import the object that a dotted path names, such as `timebank.shop.collection.expire_redemptions`."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
