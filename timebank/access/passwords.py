"""Passwords: Argon2id, hashed off the event loop."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from timebank.errors import TimebankError

LENGTH_MIN, LENGTH_MAX = 8, 128

# RFC 9106's second recommended option, one lane: 64 MiB, three passes.
_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
# At most two at once: each takes 64 MiB and a processor for a moment.
_at_once = asyncio.Semaphore(2)

# Verified when the login is unknown or has no password, so that the answer takes as long.
NOBODY = _hasher.hash("nobody has this password")


class WeakPassword(TimebankError):
    code = "weak_password"
    status = 422
    sentence = "密码要 8 到 128 个字符，不能全是同一个字符，也不能是手机号。"


def check_strength(password: str, phone: str) -> None:
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or len(set(password)) == 1 or password == phone:
        raise WeakPassword


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def is_password(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long when nothing is stored."""
    async with _at_once:
        try:
            await asyncio.to_thread(_hasher.verify, stored or NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None
