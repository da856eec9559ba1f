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
from typing import Any
from uuid import UUID

from timebank.core.capability.declared import (
    Agreed,
    Batches,
    CounterDone,
    CounterLine,
    CounterOffer,
    Delivery,
    Exported,
    Finder,
    Hit,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    Pictured,
    Reversal,
    Source,
    Sweep,
    Workplace,
)
from timebank.core.capability.residents import Figure, Reading, ResidentAct, ResidentPart
from timebank.core.scope import Scope

__all__ = [
    "Agreed",
    "Batches",
    "Capability",
    "CounterDone",
    "CounterLine",
    "CounterOffer",
    "Delivery",
    "Exported",
    "Figure",
    "Finder",
    "Hit",
    "InboxKind",
    "Job",
    "MenuEntry",
    "MessageKind",
    "PersonColumn",
    "Pictured",
    "Reading",
    "ResidentAct",
    "ResidentPart",
    "Reversal",
    "Source",
    "Sweep",
    "Workplace",
    "also",
    "capabilities",
    "capabilities_of",
    "counter_page_of",
    "hook",
    "message_kind",
    "not_in_use",
    "origin_page",
    "referred_to",
    "resolve",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """The manifest of one capability. `package` is its dotted path; "" means `timebank.<name>`."""

    name: str
    package: str = ""
    switch: bool = False
    """Whether a community has it only after switching it on, by the policy `uses_<name>`: until then it has no menu, no
    tile, no list and no job there."""
    switched_on: str | None = None
    """The verb that is called with the scope, in the open transaction, when a community switches it on."""
    tables: str | None = None
    """The module of its table classes."""
    api: Sequence[str] = ()
    """Controllers and handlers of the JSON API, below /api/v1."""
    pages: Sequence[str] = ()
    """Controllers and handlers of pages: of residents, counters, displays, the board and the panel."""
    menu: Sequence[MenuEntry] = ()
    workplaces: Sequence[Workplace] = ()
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
    messages: Mapping[str, MessageKind] = field(default_factory=dict)
    """By kind of its messages: where they lead. A kind without an entry has that of the part before its last dot."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """By kind of a part that needs more than one sentence: the function `(values, language) -> str`."""
    agreed: Sequence[Agreed] = ()
    pictured: Sequence[Pictured] = ()
    inbox: Sequence[InboxKind] = ()
    """The kinds of its rows that staff decide."""
    batches: Batches | None = None
    """What has made many rows at once, if it makes them; exactly one capability declares it."""
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
    done: Sequence[CounterDone] = ()
    """What a counter lists as done there."""
    offers: Sequence[CounterOffer] = ()
    """What a counter offers the person who has just been scanned there."""
    lines: Sequence[CounterLine] = ()
    """What a counter always shows, one line each."""
    counter: Mapping[str, str] = field(default_factory=dict)
    """By noun: the counter's page that finds one by its pickup code, which is added as `?code=`."""
    found_by: Sequence[Finder] = ()
    """What the panel's search field finds of it."""
    exported: Sequence[Exported] = ()
    """Its lists that can be saved as a workbook."""
    panel: Mapping[str, str] = field(default_factory=dict)
    """By noun: the address of its page in the panel, without the id at the end."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """By `source_kind` of a deed or service record that followed from a row: the address of its page, without the id
    at the end. It leads staff on to theirs."""
    resident_parts: Sequence[ResidentPart] = ()
    """Its tabs of a resident's page in the panel."""
    resident_acts: Sequence[ResidentAct] = ()
    """What an administrator does for a resident, on that page."""
    resident_figures: Sequence[str] = ()
    """Its figures in the header of that page: functions `(scope, person id, language) -> list[Figure]`."""

    @property
    def folder(self) -> Path:
        """The folder of the package; its templates are in `templates/` below it."""
        package = import_module(self.package or f"timebank.{self.name}")
        return Path(package.__path__[0])


_added: list[Capability] = []


def capabilities_of(scope: Scope) -> Sequence[Capability]:
    """The capabilities that the scope's community has: those without a switch, and those that it has switched on."""
    return [one for one in capabilities() if not one.switch or scope.uses(one.name)]


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


def origin_page(source_kind: str | None, source_id: UUID | None) -> str | None:
    """The page of the row that a deed or service record followed from; None where somebody typed it."""
    for one in capabilities():
        if source_kind is not None and source_kind in one.origins:
            return f"{one.origins[source_kind]}{source_id}"
    return None


def message_kind(sentence: str) -> MessageKind | None:
    """What is declared for messages whose sentence is of this kind; None for a kind that nobody declares any more."""
    while True:
        found = next((one.messages[sentence] for one in capabilities() if sentence in one.messages), None)
        if found or "." not in sentence:
            return found
        sentence = sentence.rpartition(".")[0]


def hook(name: str) -> Any:
    """The verb that some capability declares for a call from below. Exactly one declares it."""
    (path,) = [one.hooks[name] for one in capabilities() if name in one.hooks]
    return resolve(path)


@cache
def resolve(path: str) -> Any:
    """Import the object that a dotted path names, such as `timebank.shop.cancelling.expire_redemptions`."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
