"""What a manifest declares: one type for each kind of entry in a `Capability`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """A page where somebody works: they land on the first of theirs, by `place`, and reach the others from the header.

    `who` works there: "readers" of the whole community, grid "workers", those on duty in "grids" (their workers and
    heads), "keepers" of a station, the "contacts" of a unit, who serve it in several communities, or "residents".
    """

    place: int
    href: str
    icon: str
    word: str
    who: Literal["readers", "workers", "grids", "keepers", "contacts", "residents"]


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """What a counter offers the person who stands there; the offer with the smallest `place` comes first.

    `verb` is called with the keeper's scope and a `web.offers.Stand`, in the open transaction of the page beside the
    other offers, and returns a `web.offers.Offered`.
    """

    place: int
    verb: str


@dataclass(frozen=True, slots=True)
class CounterLine:
    """What a counter always shows, as one line; the one with the smallest `place` comes first.

    `verb` is called with the keeper's scope and the station's id, in the open transaction of the page beside the
    others, and returns a `web.offers.CounterLineShown`, or None where there is nothing to show.
    """

    place: int
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterDone:
    """A kind of action in a counter's list of what was done last; `word` is marked for translation.

    `select` reads `id, at, person_id, what, by, received_at` of those in community $1 at station $2 since $3: `by` is
    the login that did it, `received_at` when the server did it, null where it cannot be undone.
    `undo` is the address, with `{id}`, of its undo, which is offered to who did it for a minute after that.
    """

    name: str
    """The kind of the notes about undone ones; see `presence.undoing.acts.note_undone`."""
    word: str
    select: str
    undo: str = ""
    panel: str = ""
    """The address, with `{id}`, of its page in the panel, if it has one."""


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
class MessageKind:
    """What a message of one kind leads its reader to, and how the list of messages treats it."""

    leads: str
    """The address of what it is about; `{id}` stands for the row's id. The panel's are for those who read it."""
    otherwise: str = "/"
    """The address where the message names no row, or where its reader does not read the panel."""
    folds: str = ""
    """For a routine one: the value that is summed up where several of one day are folded into one line."""
    waits: bool = False
    """Whether the reader is to act: while it is unread it stands on top."""
    until: str = ""
    """The value that says when it is too late to act: a day, which counts whole, or a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A list of the panel that can be saved as a workbook, filtered as it is shown.

    `rows` is called with scope, filters, limit and cursor, and returns a page of rows in the order of `headings`. It
    refuses who may not have the list. The headings are those that the import of the same kind reads, and stay Chinese.
    """

    name: str
    word: str
    headings: Sequence[str]
    rows: str
    filters: Sequence[str] = ()
    """The fields of the list's form that hold kinds and ids; the field `q` holds words and is not kept."""
    of_people: bool = False
    """Whether more than a page of it needs a second person's consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxKind:
    """A kind of row that staff decide, as a list of the panel's inbox; see `inbox.kinds` for the types.

    `noun` names the row; its page is the manifest's `panel` address, else `page`. The verbs take the scope first.
    """

    noun: str
    place: int
    """Kinds are shown in the order of their places."""
    word: str
    icon: str
    context: str = ""
    """The gettext context, needed where one Chinese word has two English translations."""
    listing: str
    """`(scope, asked, limit, cursor, language) -> Page[Item]`: one page, flagged ones first, then the oldest."""
    decidable: str
    """`(scope, asked) -> Decidable`: how many wait, and which of them the caller may decide."""
    page: str = ""
    hint: str = ""
    """What the overview says of it where the caller may decide some."""
    filters: Sequence[Literal["activity", "station", "rule", "batch", "date", "flag"]] = ()
    flags: str | None = None
    """The mapping of its flags to words, if it is filtered by them."""
    groups: str | None = None
    """`(scope) -> list[Group]`: what waits of each import, if imports make such rows."""
    others: str | None = None
    """`(scope) -> {(home community, person): number}`: who may decide how many of those that the caller may not."""
    decide: str | None = None
    """`(scope, ids, decision, note) -> {id: error}`: decides these in the open transaction, each by the verb and with
    the proof of a single decision, after locking their people in the order of their ids; returns what was refused.
    None: they are decided one at a time on their own page."""


@dataclass(frozen=True, slots=True)
class Batches:
    """What makes many rows at once, such as an import.

    `rows` is a SELECT of `noun_id, batch_id` in community $1; `names` the verb `(scope, ids) -> {id: str}`.
    """

    rows: str
    names: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that the panel's search field found, and the address of its page."""

    name: str
    href: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """What the panel's search field finds of one kind; the kinds are shown sorted by `place`.

    `verb` is called with the scope, the words typed and how many are shown; it returns as many `Hit`s and one more
    where there are more, and none for a caller who may not search them.
    """

    place: int
    word: str
    verb: str
    context: str = ""
