"""Passwords: Argon2id, hashed off the event loop."""

import asyncio
from base64 import b64decode
from functools import cache
from pathlib import Path

import msgspec
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import hash_secret
from pypinyin import lazy_pinyin

from timebank.core.errors import TimebankError

LENGTH_MIN, LENGTH_MAX = 8, 128
SCORE_STAFF, SCORE_RESIDENT = 3, 2
RATED_MAX = 64
"""Characters that are rated: the time grows faster than the length, and more only make a password stronger."""

DEMO_PASSWORD = "shijian-2026"  # noqa: S105  # of the demo's invented people, printed on every start

# RFC 9106's second recommended option, one lane: 64 MiB, three passes.
_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
# At most two at once: each takes 64 MiB and a processor for a moment.
_at_once = asyncio.Semaphore(2)

DIGEST_LETTERS = 43  # of 32 bytes
# Used when the login is unknown or has no password, so that the answer takes as long.
NOBODY_SALT = _hasher.hash("nobody has this password")[:-DIGEST_LETTERS]


class WeakPassword(TimebankError):
    code = "weak_password"
    status = 422
    sentence = "密码要 8 到 128 个字符，不能太好猜：不要连号、常见词、拼音、姓名、手机号、社区名。请用一句好记的话。"


class Facts(msgspec.Struct, frozen=True):
    """What decides how strong a login's password must be, and what it must not be made of."""

    words: tuple[str, ...]
    is_staff: bool


RESIDENT = Facts((), is_staff=False)


@cache
def favourites() -> tuple[str, ...]:
    """What people in China choose first, the most frequent first; a password made of them is easily guessed."""
    text = (Path(__file__).parent / "favourites.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def check_strength(password: str, phone: str, facts: Facts = RESIDENT) -> None:
    """Refuse a password that a stranger would try among the first, or among the first million."""
    if is_weak(password, phone, facts):
        raise WeakPassword


def is_weak(password: str, phone: str, facts: Facts = RESIDENT) -> bool:
    """Whether zxcvbn rates it under 2, under 3 for staff, or it is too short or too long."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or password == DEMO_PASSWORD:
        return True
    own = [phone, phone[-4:], phone[-6:], phone[-8:]]
    for word in facts.words:
        # A name in pinyin is stored with spaces; people write it without, and its first or last part alone.
        own += [word, word.replace(" ", ""), *word.split(" ")]
    known = [word.lower() for word in (*own, *favourites()) if len(word) > 1]
    # It counts letters: Chinese words are as hard to guess as their pinyin, and favourites are the same in both.
    spelt = "".join(lazy_pinyin(password))[:RATED_MAX]
    from zxcvbn import zxcvbn  # its word lists take 12 MB, which only a new password needs

    rated: int = zxcvbn(spelt, known, max_length=LENGTH_MAX)["score"]
    return rated < (SCORE_STAFF if facts.is_staff else SCORE_RESIDENT)


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def proof_of(password: str, salt: str | None) -> str:
    """The hash that a password has with another's salt: the same as that one's, if it is the same password.

    It takes as long where there is no salt, because the login is unknown or has no password.
    """
    async with _at_once:
        return await asyncio.to_thread(_hashed_with, salt or NOBODY_SALT, password)


def _hashed_with(salt: str, password: str) -> str:
    made = extract_parameters(salt + "A" * DIGEST_LETTERS)
    grains = salt.split("$")[4]
    return hash_secret(
        password.encode(), b64decode(grains + "=" * (-len(grains) % 4)), made.time_cost, made.memory_cost,
        made.parallelism, made.hash_len, made.type, made.version,
    ).decode()  # fmt: skip
