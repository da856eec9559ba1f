"""The messages that are stored, in words, and the end of the quiet hours for tests that read them on a page."""

from datetime import timedelta

import asyncpg
import msgspec

from tests.support.town import Town
from timebank.core import clock
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
    """The messages that a person sees two days from now, when no quiet hours keep any of them back."""
    with clock.at(clock.now() + timedelta(days=2)):
        return list((await own_messages(await town.scope(name))).items)


async def end_quiet_hours(owner: asyncpg.Connection) -> None:
    """Make every message visible, as it is in the morning: tests run at any time of day."""
    await owner.execute("UPDATE message SET due_at = created_at")
