"""Messages to a person inside the service, sent once per event."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded

TEXT_MAX = 500


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
    text: str
    key: str
    about_id: UUID | None = None


async def notify(scope: Scope, person_id: UUID, kind: str, text: str, key: str, about_id: UUID | None = None) -> None:
    """Notify a person, once per key however often the verb is repeated."""
    await notify_many(scope, kind, [Notification(person_id, text, key, about_id)])


async def notify_household(
    scope: Scope, person_id: UUID, kind: str, text: str, key: str, about_id: UUID | None = None
) -> None:
    """Notify a person and the active household members, each once per key."""
    found = await database.fetch(
        "SELECT m.id FROM person p JOIN person m ON m.community_id = p.community_id AND m.status = 'active' "
        "AND (m.id = p.id OR m.household_id = p.household_id) WHERE p.community_id = $1 AND p.id = $2 ORDER BY m.id",
        scope.community_id, person_id,
    )  # fmt: skip
    tellings = [Notification(UUID(bytes=row["id"].bytes), text, key, about_id) for row in found]
    await notify_many(scope, kind, tellings)


@retried
async def notify_many(
    scope: Scope, kind: str, tellings: Sequence[Notification], *, import_id: UUID | None = None
) -> None:
    """Notify each of these people, once per key; two statements for thousands of messages.

    Texts are cut at 500 characters and stored in Chinese, whatever language the reader chooses later. Guardians of a
    child under 14 get a copy. The messages are put into the outbox for the push gateway where the community has
    switched that on. `import_id` is the import that sends the messages: they do not count as a sign that the
    person has used the service.
    """
    if not tellings:
        return
    async with transaction(scope):
        everybody = [*tellings, *await _to_guardians(scope, tellings)]
        await database.execute(
            "SELECT tell_people($1, $2, $3, $4, $5, $6, $7, $8, $9), put_messages($1, $5, $4)",
            scope.community_id, kind, import_id, clock.now(), [clock.new_id() for _ in everybody],
            [t.person_id for t in everybody], [t.text[:TEXT_MAX] for t in everybody], [t.key for t in everybody],
            [t.about_id for t in everybody],
        )  # fmt: skip


class _Care(msgspec.Struct, frozen=True):
    child_id: UUID
    name: str
    born_on: date | None
    guardian_id: UUID


async def _to_guardians(scope: Scope, tellings: Sequence[Notification]) -> list[Notification]:
    """Copies of the messages to children under 14, for the guardians whose consent is in force."""
    found = await database.rows(
        _Care,
        "SELECT g.child_id, c.name, c.born_on, g.guardian_id FROM guardianship g "
        "JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
        "WHERE g.community_id = $1 AND g.child_id = ANY ($2) AND g.consented_at IS NOT NULL AND g.ended_at IS NULL "
        "ORDER BY g.id",
        scope.community_id, [t.person_id for t in tellings],
    )  # fmt: skip
    of_child: dict[UUID, list[_Care]] = {}
    for each in found:
        if is_guarded(each.born_on):
            of_child.setdefault(each.child_id, []).append(each)
    return [
        Notification(each.guardian_id, f"给{each.name}的消息：{told.text}", told.key, told.about_id)
        for told in tellings
        for each in of_child.get(told.person_id, [])
    ]


@retried
async def purge_import_messages(scope: Scope, import_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Delete import messages to the people that this import has registered, before undoing it deletes the people."""
    scope.require_admin()
    async with transaction(scope):
        await database.execute(
            "SELECT forget_import_messages($1, $2, $3)", scope.community_id, import_id, list(person_ids)
        )


async def own_messages(
    scope: Scope, *, unread: bool = False, limit: int = 50, cursor: str | None = None
) -> Page[MessageOut]:
    """The caller's messages in this community, newest first."""
    person_id = scope.require_self()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await database.rows(
            MessageOut,
            "SELECT id, kind, text, about_id, created_at, read_at FROM message "
            "WHERE community_id = $1 AND person_id = $2 AND (NOT $3 OR read_at IS NULL) "
            "AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5)) ORDER BY created_at DESC, id DESC LIMIT $6",
            scope.community_id, person_id, unread, *(before or (None, None)), limit + 1,
        )  # fmt: skip
    return make_page(found, limit, lambda m: (m.created_at, m.id))


async def count_unread(scope: Scope) -> int:
    """How many unread messages the caller has in this community."""
    async with transaction(scope):
        unread: int = await database.fetch_value(
            "SELECT count(*) FROM message WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL",
            scope.community_id, scope.require_self(),
        )  # fmt: skip
    return unread


@retried
async def mark_all_read(scope: Scope) -> None:
    """Mark all of the caller's messages in this community as read."""
    async with transaction(scope):
        await database.execute(
            "UPDATE message SET read_at = $3 WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL",
            scope.community_id, scope.require_self(), clock.now(),
        )  # fmt: skip


@retried
async def mark_read(scope: Scope, message_id: UUID) -> None:
    """Mark a message of the caller as read; a repetition keeps the first time. Raises NotFound."""
    person_id = scope.require_self()
    async with transaction(scope):
        found = await database.fetch_value(
            "UPDATE message SET read_at = coalesce(read_at, $4) WHERE community_id = $1 AND person_id = $2 AND id = $3 "
            "RETURNING id",
            scope.community_id, person_id, message_id, clock.now(),
        )  # fmt: skip
    if found is None:
        raise NotFound
