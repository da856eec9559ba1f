"""The messages that are stored, in words, and the end of the quiet hours for tests that read them on a page."""

import asyncpg
import msgspec

from tests.support.town import Town
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.people.messages import MessageOut, own_messages


async def texts(
    owner: asyncpg.Connection, where: str = "true", *values: object, order: str = "created_at, id", language: str = "zh"
) -> list[str]:
    """The messages that fulfil an SQL condition, in words, whether or not they are due; oldest first."""
    found = await owner.fetch(
        f"SELECT text, sentence, said::text FROM message WHERE {where} ORDER BY {order}", *values  # a test's own
    )  # fmt: skip
    return [row["text"] or Phrase(row["sentence"], msgspec.json.decode(row["said"])).text(language) for row in found]


async def messages_of(town: Town, name: str) -> list[MessageOut]:
    """The messages that a person sees once all of them are due, newest first, whatever the time of day."""
    async with transaction(Scope.of_system(town.home[name])):
        last = await database.fetch_value(
            "SELECT max(due_at) FROM message WHERE community_id = $1 AND person_id = $2",
            town.home[name], town.people[name],
        )  # fmt: skip
    with clock.at(max(clock.now(), last or clock.now())):
        seen = (await own_messages(await town.scope(name))).items
    return sorted(seen, key=lambda message: (message.created_at, message.id), reverse=True)


async def end_quiet_hours(owner: asyncpg.Connection) -> None:
    """Make every message visible, as it is in the morning: tests run at any time of day."""
    await owner.execute("UPDATE message SET due_at = created_at")
