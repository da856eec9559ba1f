"""Passwords: Argon2id, hashed off the event loop."""

import asyncio
from base64 import b64decode
from functools import cache
from pathlib import Path

import msgspec
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import hash_secret

from timebank.core.errors import TimebankError
from timebank.core.pinyin.spelling import pinyin_of

LENGTH_MIN, LENGTH_MAX = 8, 128
SCORE_STAFF, SCORE_RESIDENT = 3, 2
RATED_MAX = 64
"""Only so many characters are rated: rating time grows faster than the length, and more only add strength."""

DEMO_PASSWORD = "shijian-2026"  # noqa: S105  # of the demo's invented people, printed on every start

# RFC 9106's second recommended option, one lane: 64 MiB, three passes.
_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
# At most two hashes at once: each takes 64 MiB and one processor core.
_at_once = asyncio.Semaphore(2)

DIGEST_LETTERS = 43  # base64 of 32 bytes, without padding
# Used for an unknown login or one without a password, so that the answer takes the same time.
NOBODY_SALT = _hasher.hash("nobody has this password")[:-DIGEST_LETTERS]


class WeakPassword(TimebankError):
    code = "weak_password"
    status = 422
    sentence = "密码要 8 到 128 个字符，不能太好猜：不要连号、常见词、拼音、姓名、手机号、社区名。请用一句好记的话。"


class Facts(msgspec.Struct, frozen=True):
    """The strength rules of a login's password: words that it must not be made of, and whether the login is staff."""

    words: tuple[str, ...]
    is_staff: bool


RESIDENT = Facts((), is_staff=False)


@cache
def favourites() -> tuple[str, ...]:
    """Passwords and words that are common in China, the most frequent first."""
    text = (Path(__file__).parent / "favourites.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def check_strength(password: str, phone: str, facts: Facts = RESIDENT) -> None:
    """Raise WeakPassword for a password that is too short, too long or easily guessed."""
    if is_weak(password, phone, facts):
        raise WeakPassword


def is_weak(password: str, phone: str, facts: Facts = RESIDENT) -> bool:
    """Whether zxcvbn scores it under 2 (under 3 for staff), its length is not 8 to 128, or it is the demo's."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or password == DEMO_PASSWORD:
        return True
    own = [phone, phone[-4:], phone[-6:], phone[-8:]]
    for word in facts.words:
        # Pinyin names are stored with spaces; passwords use them without, or only the first or last part.
        own += [word, word.replace(" ", ""), *word.split(" ")]
    known = [word.lower() for word in (*own, *favourites()) if len(word) > 1]
    # zxcvbn rates Latin letters; a Chinese word is as hard to guess as its pinyin, and common words are the same.
    spelt = "".join(pinyin_of(password))[:RATED_MAX]
    from zxcvbn import zxcvbn  # imported when needed: its word lists take 12 MB

    rated: int = zxcvbn(spelt, known, max_length=LENGTH_MAX)["score"]
    return rated < (SCORE_STAFF if facts.is_staff else SCORE_RESIDENT)


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def proof_of(password: str, salt: str | None) -> str:
    """Hash a password with a stored hash's salt; the result equals the stored hash if the password is the same.

    Without a salt (an unknown login, or one without a password) it takes the same time.
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
