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
class Delivery:
    """How the worker delivers the rows of the outbox of one kind; `word` names the kind for administrators.

    `verb` is called with the system scope and the row (`outbox.putting.Parcel`). It joins the transaction that ends the
    row, so its effect is there exactly once. With `leaves` it sends the row to another service: no transaction is
    open, and after a lost answer it is called again, so it passes the row's key on for the receiver to recognise.
    """

    kind: str
    verb: str
    word: str
    leaves: bool = False


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


@dataclass(frozen=True, slots=True)
class Reversal:
    """How an administrator takes back ledger entries of these kinds: `verb` is called with scope, id and reason.

    `of` says whose id: that of the source row, which the verb then changes too, or that of the entry itself.
    """

    entries: Sequence[str]
    verb: str
    of: Literal["source", "entry"] = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of row that ledger entries refer to. `noun` is the `source_kind` of their transfers.

    `entries` are the kinds of transfer that may name it. Each SELECT reads the rows of one community ($1).
    """

    noun: str
    entries: Sequence[str]
    reversal: Reversal | None = None
    holds: str | None = None
    """SELECT of `id, entry_id, is_open` of the rows that holds are for, if it holds points or class time."""
    held_anew: str | None = None
    """SELECT of `entry_id` of holds that were ended and held again for the same person's other record."""
    credited: str | None = None
    """SELECT of `id, person_id` of the rows that credits are for, if it credits a person."""


@dataclass(frozen=True, slots=True)
class PersonColumn:
    """A column that says whom a row belongs to or is about, and what merging two records of one person does with it.

    `moves`: the row is changed to the kept record, and back when the merge is undone; the SQL function `person_links`
    lists the column. `settled`: the SQL function `person_merge` has a statement of its own for it. `stays`: the row
    still names the merged record, because it states what was true at its time.
    """

    table: str
    column: str
    merge: Literal["moves", "settled", "stays"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """A kind of row that photos are attached to, and what `photos` asks about it.

    The verbs take scope and id. Before a change `add` and `clear` are called while `lock` holds the row.
    """

    noun: str
    stages: Sequence[str]
    page: str
    """The address of its page, without the id at the end."""
    see: str
    """Raises NotFound unless the caller may see the row, and with it its photos."""
    lock: str
    """Locks the row and what is locked before it. Raises NotFound."""
    add: str
    """Returns the refusal of a caller who may not attach a photo now, else None."""
    clear: str
    """Returns the refusal of a caller who may not paint a photo over and publish it, else None."""
    closed: str
    """The path of a SELECT of `id, closed_at` of the rows in community $1; null while a row is not closed."""


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
    deliveries: Sequence[Delivery] = ()
    """How the worker delivers what its verbs put into the outbox."""
    invariants: str | None = None
    """The `Invariant`s (ledger.checking.invariants.parts) that must hold between its own rows and the ledger's rows."""
    sources: Sequence[Source] = ()
    statement: Mapping[str, str] = field(default_factory=dict)
    """Words for its entries on a statement. Key: the entry's kind, or `source_kind:kind`, which takes precedence."""
    sentences: Mapping[str, str] = field(default_factory=dict)
    """The sentences that rows store as a kind and values (`core.wording.Phrase`), by kind: those of messages, of ledger
    entries (`entry.`), of notes on other rows, and the parts that are put into them. What stands before the first dot
    of a message's kind is the `kind` that HTTP answers."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """By kind of a part that needs more than one sentence: the function `(values, language) -> str`."""
    agreed: Sequence[Agreed] = ()
    pictured: Sequence[Pictured] = ()
    subjects: Sequence[str] = ()
    """The `objections.subjects.Subject`s that residents may object to."""
    people: Sequence[PersonColumn] = ()
    """The columns of its tables that refer to a person."""
    in_use: Mapping[str, str] = field(default_factory=dict)
    """By noun: a SELECT of the ids in community $1 that its rows still use. These cannot be withdrawn."""
    refers_to: Mapping[str, str] = field(default_factory=dict)
    """By noun: a SELECT of the ids in community $1 that any of its rows refers to, also an ended one. These are not
    deleted when they are withdrawn."""
    vouched: str | None = None
    """A SELECT of `person_id, at` in community $1: when a second member of staff confirmed a person's identity at a
    counter. That also confirms the cards that were issued to the person before."""
    hooks: Mapping[str, str] = field(default_factory=dict)
    """Verbs that a layer below calls, by the name that it knows them by: see `hook`."""
    stories: Sequence[str] = ()
    """Functions that add stories to a year of the demo: `(year: demo.year.Year) -> Iterable[demo.stories.Story]`."""
    audit: Mapping[str, str] = field(default_factory=dict)
    """Words for its verbs in the audit, by verb."""
    nouns: Mapping[str, str] = field(default_factory=dict)
    """Words for what it writes into the audit as changed."""
    child_lists: Mapping[str, str] = field(default_factory=dict)
    """Words for its lists that give the full names of children. The audit records who reads one, by this key."""
    counter: Mapping[str, str] = field(default_factory=dict)
    """By noun: the counter's page that finds one by its pickup code, which is added as `?code=`."""
    panel: Mapping[str, str] = field(default_factory=dict)
    """By noun: the address of its page in the panel, without the id at the end."""

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


def not_in_use(noun: str, row: str) -> str:
    """SQL condition: no capability uses the `noun` with the id `row` (an SQL expression) in community $1."""
    uses = [one.in_use[noun] for one in capabilities() if noun in one.in_use]
    return " AND ".join(f"NOT {_names(select, row)}" for select in uses) or "true"


def referred_to(noun: str, row: str) -> str:
    """SQL condition: some capability refers to the `noun` with the id `row` (an SQL expression) in community $1."""
    names = [one.refers_to[noun] for one in capabilities() if noun in one.refers_to]
    return f"({' OR '.join(_names(select, row) for select in names) or 'false'})"


def _names(select: str, row: str) -> str:
    return f"EXISTS (SELECT FROM ({select}) AS other (id) WHERE other.id = {row})"


def counter_page_of(noun: str) -> str:
    """The counter's page that finds one of the `noun` by its pickup code. Exactly one capability declares it."""
    (page,) = [one.counter[noun] for one in capabilities() if noun in one.counter]
    return page


def hook(name: str) -> Any:
    """The verb that some capability declares for a call from below. Exactly one declares it."""
    (path,) = [one.hooks[name] for one in capabilities() if name in one.hooks]
    return resolve(path)


@cache
def resolve(path: str) -> Any:
    """Import the object that a dotted path names, such as `timebank.shop.cancelling.expire_redemptions`."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
