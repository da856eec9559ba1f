"""Messages to a person inside the service: written once per event as (kind, values), worded when they are read."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.capability import Reading, capabilities, message_kind
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase

QUIET_FROM, QUIET_UNTIL = time(21), time(7)
"""The local hours in which a message that is not urgent does not become visible."""
WAITING_MAX = 20
"""How many messages stand on top of a list; further ones stand at their time."""
SOON = timedelta(hours=12)
"""What begins within this time cannot wait for the end of the quiet hours."""


class MessageOut(msgspec.Struct, kw_only=True):
    """A message. `about_id` is the redemption, ledger entry, booking or other row that it is about."""

    id: UUID
    kind: str
    text: str
    about_id: UUID | None
    created_at: datetime
    read_at: datetime | None


class Notification(msgspec.Struct, frozen=True):
    """A message to send to one person; `key` names the event, such as `redemption:{id}:expired`."""

    person_id: UUID
    says: Phrase
    key: str
    about_id: UUID | None = None


def due_at(now: datetime, *, urgent: bool = False) -> datetime:
    """The moment from which a message that is written now is visible: at once, or at the end of the quiet hours."""
    local = clock.local(now)
    if urgent or QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now
    return clock.at_local(local.date() + timedelta(days=local.time() >= QUIET_FROM), QUIET_UNTIL)


def is_soon(begins_at: datetime) -> bool:
    """Whether something begins so soon that a message about it is urgent."""
    return begins_at < clock.now() + SOON


async def notify(
    scope: Scope, person_id: UUID, kind: str, key: str, about_id: UUID | None = None, *, urgent: bool = False,
    **values: object,
) -> None:  # fmt: skip
    """Notify a person, once per key however often the verb is repeated.

    `kind` is a key of `messages` in a manifest, and `values` are what its sentence names.
    """
    await notify_many(scope, [Notification(person_id, phrase(kind, **values), key, about_id)], urgent=urgent)


async def notify_household(
    scope: Scope, person_id: UUID, kind: str, key: str, about_id: UUID | None = None, *, urgent: bool = False,
    **values: object,
) -> None:  # fmt: skip
    """Notify a person and the active household members, each once per key.

    Only the person's own message leads to `about_id`: it may be closed to the others.
    """
    found = await database.fetch(
        "SELECT m.id FROM person p JOIN person m ON m.community_id = p.community_id AND m.status = 'active' "
        "AND (m.id = p.id OR m.household_id = p.household_id) WHERE p.community_id = $1 AND p.id = $2 ORDER BY m.id",
        scope.community_id, person_id,
    )  # fmt: skip
    says = phrase(kind, **values)
    told = [UUID(bytes=row["id"].bytes) for row in found]
    to_send = [Notification(one, says, key, about_id if one == person_id else None) for one in told]
    await notify_many(scope, to_send, urgent=urgent)


@retried
async def notify_many(
    scope: Scope, to_send: Sequence[Notification], *, urgent: bool = False, import_id: UUID | None = None
) -> None:
    """Queue a message to each of these people, once per key; one statement for thousands of messages.

    The guardians of a child under 14 get a copy. In the quiet hours a message that is not urgent waits for their end,
    except one to the caller's own record. Where the community has switched the push gateway on, each message that
    becomes due is put into the outbox for it. `import_id` is the import that sends the messages: they do not count as
    a sign that the person has used the service.
    """
    if not to_send:
        return
    now = clock.now()
    async with transaction(scope):
        database.queue(
            database.change(
                "SELECT tell_people($1, $2, $3, $4, $5, $6, $7::text[]::uuid[], $8::text[]::uuid[], "
                "$9::text[]::uuid[], $10::text[], $11::text[], $12::text[], $13::text[]::uuid[])",
                scope.community_id, import_id, now, due_at(now, urgent=urgent), clock.local_day(), urgent,
                database.as_texts(scope.own_ids),
                [str(clock.new_id()) for _ in to_send], database.as_texts(each.person_id for each in to_send),
                [each.says.kind for each in to_send], [values_of(each.says) for each in to_send],
                [each.key for each in to_send], [str(each.about_id) if each.about_id else None for each in to_send],
            )
        )  # fmt: skip


def values_of(says: Phrase) -> str:
    """The values of a message as they are stored."""
    return msgspec.json.encode(says.values).decode()


@retried
async def purge_import_messages(scope: Scope, import_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Delete import messages to the people that this import has registered, before undoing it deletes the people."""
    scope.require_admin()
    async with transaction(scope):
        await database.execute(
            "SELECT forget_import_messages($1, $2, $3)", scope.community_id, import_id, list(person_ids)
        )


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A message row; `text` only where it was written before messages had kinds of sentence."""

    id: UUID
    kind: str
    text: str | None
    sentence: str | None
    said: str | None
    about_id: UUID | None
    created_at: datetime
    due_at: datetime
    read_at: datetime | None

    @property
    def phrase(self) -> Phrase:
        return Phrase(self.sentence or self.kind, msgspec.json.decode(self.said or "{}"))

    def in_words(self, language: str) -> MessageOut:
        text = self.text or self.phrase.text(language)
        return MessageOut(
            id=self.id, kind=self.kind, text=text, about_id=self.about_id, created_at=self.created_at,
            read_at=self.read_at,
        )  # fmt: skip


_OWN = (
    "SELECT id, kind, text, sentence, said::text, about_id, created_at, due_at, read_at FROM message "
    "WHERE community_id = $1 AND person_id = $2 AND due_at <= $3"
)


async def own_messages(
    scope: Scope, *, unread: bool = False, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[MessageOut]:
    """The caller's messages in this community that are due, newest first, in the reader's language."""
    person_id = scope.require_self()
    asked = Filters(scope.community_id, person_id, clock.now())
    if unread:
        asked.add("read_at IS NULL")
    asked.add_after("due_at, id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{_OWN}{asked.sql} ORDER BY due_at DESC, id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Stored, newest, *asked.values)
    kept = make_page(found, limit, lambda m: (m.due_at, m.id))
    return Page([message.in_words(language) for message in kept.items], kept.next)


class Received(msgspec.Struct, frozen=True):
    """A message as its reader's list shows it: worded, with its sentence's kind and values."""

    message: MessageOut
    due_at: datetime
    says: Phrase


class Inbox(msgspec.Struct, frozen=True):
    """The unread messages that ask their reader to act in time, a page of all others, and how many are unread."""

    waiting: list[Received]
    others: Page[Received]
    unread: int


async def read_inbox(scope: Scope, *, limit: int = 30, cursor: str | None = None, language: str = "zh") -> Inbox:
    """The caller's messages that are due, newest first, those that wait for the caller apart from the others."""
    own = (scope.community_id, scope.require_self(), clock.now())
    acts = [kind for one in capabilities() for kind, declared in one.messages.items() if declared.waits]
    asked, waits = Filters(*own), Filters(*own)
    asked.add_after("due_at, id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    waits.add("read_at IS NULL AND (sentence = ANY ({0}) OR kind = ANY ({0}))", acts)
    newest = f"{_OWN}{asked.sql} ORDER BY due_at DESC, id DESC LIMIT {most(limit + 1)}"
    to_do = f"{_OWN}{waits.sql} ORDER BY due_at DESC, id DESC LIMIT {most(WAITING_MAX)}"
    async with transaction(scope), database.gathering() as reads:
        found = reads.start(database.rows(_Stored, newest, *asked.values))
        first = reads.start(database.rows(_Stored, to_do, *waits.values))
        unread = reads.start(count_unread(scope))
    waiting = [m for m in first.result() if _may_still_act(m.phrase)]
    on_top = {m.id for m in waiting}
    kept = make_page(found.result(), limit, lambda m: (m.due_at, m.id))
    others = [_received(m, language) for m in kept.items if m.id not in on_top]
    return Inbox([_received(m, language) for m in waiting], Page(others, kept.next), unread.result())


def _received(stored: _Stored, language: str) -> Received:
    return Received(stored.in_words(language), stored.due_at, stored.phrase)


def _may_still_act(says: Phrase) -> bool:
    """Whether the message asks its reader to act and it is not too late."""
    declared = message_kind(says.kind)
    if declared is None or not declared.waits:
        return False
    until = says.values.get(declared.until)
    if not isinstance(until, str):
        return True
    if len(until) == len("2027-03-10"):
        return clock.local_day() <= date.fromisoformat(until)
    return clock.now() < datetime.fromisoformat(until)


@retried
async def messages_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[MessageOut]:
    """One person's messages that are due, newest first, for administrators and auditors. The reading is audited."""
    scope.require_reader()
    asked = Filters(scope.community_id, person_id, clock.now())
    asked.add_after("due_at, id", "<", read_cursor(reading.cursor, tuple[datetime, UUID]))
    newest = f"{_OWN}{asked.sql} ORDER BY due_at DESC, id DESC LIMIT {most(21)}"
    async with transaction(scope):
        found = await database.rows(_Stored, newest, *asked.values)
        if not scope.is_own(person_id):
            await audit.record(scope, "read_messages", "person", person_id)
    kept = make_page(found, 20, lambda m: (m.due_at, m.id))
    return Page([message.in_words(reading.language) for message in kept.items], kept.next)


async def count_unread(scope: Scope) -> int:
    """How many unread messages of the caller are due in this community."""
    async with transaction(scope):
        return await database.read_value(
            int, "SELECT count(*) FROM message WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL "
            "AND due_at <= $3",
            scope.community_id, scope.require_self(), clock.now(),
        )  # fmt: skip


@retried
async def mark_all_read(scope: Scope) -> None:
    """Mark as read all of the caller's messages in this community that are due."""
    async with transaction(scope):
        await database.execute(
            "UPDATE message SET read_at = $3 WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL "
            "AND due_at <= $3",
            scope.community_id, scope.require_self(), clock.now(),
        )  # fmt: skip


@retried
async def mark_read(scope: Scope, message_id: UUID) -> None:
    """Mark a message of the caller as read; a repetition keeps the first time. Raises NotFound."""
    person_id = scope.require_self()
    async with transaction(scope):
        found = await database.fetch_value(
            "UPDATE message SET read_at = coalesce(read_at, $4) WHERE community_id = $1 AND person_id = $2 AND id = $3 "
            "AND due_at <= $4 RETURNING id",
            scope.community_id, person_id, message_id, clock.now(),
        )  # fmt: skip
    if found is None:
        raise NotFound
