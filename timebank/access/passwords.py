"""Passwords: Argon2id, hashed off the event loop."""

import asyncio
from base64 import b64decode
from itertools import pairwise

from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import hash_secret

from timebank.errors import TimebankError

LENGTH_MIN, LENGTH_MAX = 8, 128

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
    sentence = "密码要 8 到 128 个字符，不能太好猜：不要连号（12345678）、重复的字符、常见的词或手机号。"


# What people choose first where eight characters are asked for; compared without case.
COMMON = frozenset(
    [
        "password",
        "password1",
        "passw0rd",
        "qwertyui",
        "qwerty123",
        "qwerty12",
        "1qaz2wsx",
        "qazwsxedc",
        "asdfghjkl",
        "asdf1234",
        "abcd1234",
        "abc12345",
        "abc123456",
        "a1234567",
        "a12345678",
        "a123456789",
        "aa123456",
        "admin123",
        "iloveyou",
        "woaini1314",
        "woaini520",
        "5201314520",
        "1314520520",
        "11223344",
        "12341234",
    ]
)


def check_strength(password: str, phone: str) -> None:
    """Refuse a password that a stranger would try among the first."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    is_run = len(steps) == 1 and steps <= {-1, 0, 1}
    few = len(set(password)) < 3
    if (
        not LENGTH_MIN <= len(password) <= LENGTH_MAX
        or is_run
        or few
        or password == phone
        or password.lower() in COMMON
    ):
        raise WeakPassword


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
