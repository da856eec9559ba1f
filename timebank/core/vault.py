"""Encryption at rest, and keyed hashes to look encrypted values up.

Every key is derived from TIMEBANK_SECRET_KEY for one purpose (HKDF-SHA256, RFC 5869).
"""

import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from timebank.core import settings
from timebank.core.errors import TimebankError, Unavailable

VERSION = b"\x01"
NONCE_BYTES = 12


class NoSecretKey(TimebankError):
    code = "no_secret_key"
    status = 500
    sentence = "没有设置 TIMEBANK_SECRET_KEY。请设成写入数据时用的那一个，它在备份里；换一个就打不开已有的数据。"


class FirstSecretKey(TimebankError):
    code = "first_secret_key"
    status = 500
    sentence = "还没有 TIMEBANK_SECRET_KEY。数据库是新的：请用 `openssl rand -hex 32` 生成一个，并与备份分开保存。"


class WrongSecretKey(Unavailable):
    code = "wrong_secret_key"
    sentence = "TIMEBANK_SECRET_KEY 与写入数据时的不同，加密的内容打不开。请换回原来的密钥。"


def key_for(purpose: str) -> bytes:
    """The 256-bit key for one purpose. Raises NoSecretKey."""
    secret = settings.current().secret_key
    if not secret:
        raise NoSecretKey
    return _derived(secret, purpose)


def fingerprint() -> bytes:
    """The fingerprint of the secret key that is stored in the database; 16 bytes derived only for this purpose."""
    return key_for("fingerprint")[:16]


@lru_cache(maxsize=4096)
def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=b"timebank", info=purpose.encode()).derive(secret)


def seal(text: str, purpose: str) -> bytes:
    """Encrypt a text: version byte, random nonce, AES-256-GCM ciphertext with the purpose as associated data."""
    return seal_bytes(text.encode(), purpose)


def unseal(sealed: bytes, purpose: str) -> str:
    """Decrypt what `seal` returned. Raises WrongSecretKey for another key or purpose."""
    return unseal_bytes(sealed, purpose).decode()


def seal_bytes(content: bytes, purpose: str) -> bytes:
    """Encrypt bytes as `seal` does a text."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key_for("seal")).encrypt(nonce, content, purpose.encode())


def unseal_bytes(sealed: bytes, purpose: str) -> bytes:
    """Decrypt what `seal_bytes` returned. Raises WrongSecretKey for another key or purpose."""
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key_for("seal")).decrypt(nonce, ciphertext, purpose.encode())
    except InvalidTag as error:
        raise WrongSecretKey from error


def opens(sealed: bytes, purpose: str) -> bool:
    """Whether our key decrypts this."""
    try:
        unseal(sealed, purpose)
    except WrongSecretKey:
        return False
    return True


def blind_index(text: str, purpose: str) -> bytes:
    """Deterministic HMAC-SHA-256, cut to 160 bits, for equality look-up of an encrypted value."""
    return hmac.digest(key_for(f"index:{purpose}"), text.encode(), "sha256")[:20]


def token() -> str:
    """A random token of 256 bits, base64url."""
    return secrets.token_urlsafe(32)


def token_hash(text: str) -> bytes:
    """The SHA-256 that is stored instead of a token. A random token needs no key or salt."""
    return hashlib.sha256(text.encode()).digest()
