"""Sign, verify and draw the codes that are shown on screens and phones and printed on cards.

There are three kinds, each a link on our own host: station code (`/c/`), personal code (`/p/`), card (`/k/`). Payloads
are base64url without padding. Station and personal codes carry a time step and an 80-bit truncated HMAC-SHA-256; cards
carry an Ed25519 signature, so that a counter without network can verify them with the public key alone. No code
carries personal data.
"""

import base64
import binascii
import hmac
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import qrcode
import qrcode.constants
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from qrcode.image.svg import SvgPathImage

from timebank.core import scanned, settings, vault
from timebank.core.errors import TimebankError

STATION_STEP_SECONDS = 15
PERSON_STEP_SECONDS = 30
MAC_BYTES = 10
SIGNATURE_BYTES = 64
# Matches any host and any path prefix. Messengers append `?from=…` to a link that is passed on.
_LINK = re.compile(r"(?i:https?)://[^/?#]+/(?:[^?#]*/)?(?P<path>[cpk]/[A-Za-z0-9_-]+)(?:[?#].*)?")


class InvalidCode(TimebankError):
    code = "invalid_code"
    status = 422
    sentence = "这不是本站的码。请扫驿站屏幕上的码。"


@dataclass(frozen=True, slots=True)
class StationCode:
    community_id: UUID
    station_id: UUID
    step: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class PersonCode:
    community_id: UUID
    person_id: UUID
    step: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class CardCode:
    community_id: UUID
    card_id: UUID
    epoch: int


Code = StationCode | PersonCode | CardCode


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCode from error


def step_of(moment: datetime, seconds: int) -> int:
    return int(moment.timestamp()) // seconds


def step_end(step: int, seconds: int) -> datetime:
    """The moment when a step ends and the next code is shown."""
    return datetime.fromtimestamp((step + 1) * seconds, UTC)


def _mac(purpose: str, community_id: UUID, subject_id: UUID, epoch: int, step: int) -> bytes:
    key = hmac.digest(
        vault.key_for(purpose), community_id.bytes + subject_id.bytes + epoch.to_bytes(4, "big"), "sha256"
    )
    return hmac.digest(key, step.to_bytes(4, "big"), "sha256")[:MAC_BYTES]


def _timed(purpose: str, community_id: UUID, subject_id: UUID, epoch: int, step: int) -> str:
    mac = _mac(purpose, community_id, subject_id, epoch, step)
    return _encode(community_id.bytes + subject_id.bytes + step.to_bytes(4, "big") + mac)


def station_code(community_id: UUID, station_id: UUID, epoch: int, moment: datetime) -> str:
    """The payload of a station's code at a moment."""
    return _timed("station-code", community_id, station_id, epoch, step_of(moment, STATION_STEP_SECONDS))


def person_code(community_id: UUID, person_id: UUID, epoch: int, moment: datetime) -> str:
    """The payload of a personal code at a moment."""
    return _timed("person-code", community_id, person_id, epoch, step_of(moment, PERSON_STEP_SECONDS))


def card_code(community_id: UUID, card_id: UUID, epoch: int) -> str:
    """The payload that is printed on a card. It holds nothing about the card's holder."""
    body = community_id.bytes + card_id.bytes + epoch.to_bytes(2, "big")
    return _encode(body + _card_key().sign(body))


def _card_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(vault.key_for("card-code"))


def is_genuine(code: StationCode | PersonCode, epoch: int) -> bool:
    """Whether the code was signed under the current key of its station or person."""
    purpose, subject = (
        ("station-code", code.station_id) if isinstance(code, StationCode) else ("person-code", code.person_id)
    )
    return hmac.compare_digest(code.mac, _mac(purpose, code.community_id, subject, epoch, code.step))


def is_fresh(code: StationCode | PersonCode, moment: datetime) -> bool:
    """Whether the code belongs to the current step or the one before."""
    seconds = STATION_STEP_SECONDS if isinstance(code, StationCode) else PERSON_STEP_SECONDS
    return 0 <= step_of(moment, seconds) - code.step <= 1


def url(kind: str, payload: str) -> str:
    """The link that the QR image holds: kind `c` (station), `p` (person) or `k` (card)."""
    return f"{settings.current().base_url}/{kind}/{payload}"


def read(text: str) -> Code:
    """Parse a scanned link or a bare `kind/payload`. Verifies the signature of a card, but not the HMAC of other codes.

    Raises InvalidCode for another kind of link, other text or a damaged payload.
    """
    return _found(text)[1]


def path(text: str) -> str:
    """The original `kind/payload` of a scanned text, with keyboard damage corrected. Raises InvalidCode."""
    return _found(text)[0]


def _found(text: str) -> tuple[str, Code]:
    """The path and the code of the first of the readings (`scanned.readings`) that is a valid code."""
    if scanned.has_lost_case(text):
        raise InvalidCode
    for reading in scanned.readings(text):
        bare = _path_of(reading)
        try:
            return bare, _read(bare)
        except InvalidCode:
            continue
    raise InvalidCode


def _path_of(link: str) -> str:
    """The `kind/payload` of a link; any other text unchanged.

    The host is not checked: a card may have been printed under an earlier address. The signature or HMAC proves that
    the code is ours.
    """
    found = _LINK.fullmatch(link)
    return found["path"] if found else link


def _read(bare: str) -> Code:
    kind, _, payload = bare.partition("/")
    if kind not in ("c", "p", "k") or not payload or len(payload) > 200:
        raise InvalidCode
    raw = _decode(payload)
    return _read_card(raw) if kind == "k" else _read_timed(kind, raw)


def _read_timed(kind: str, raw: bytes) -> StationCode | PersonCode:
    if len(raw) != 36 + MAC_BYTES:
        raise InvalidCode
    made = StationCode if kind == "c" else PersonCode
    return made(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), int.from_bytes(raw[32:36], "big"), raw[36:])


def _read_card(raw: bytes) -> CardCode:
    if len(raw) != 34 + SIGNATURE_BYTES:
        raise InvalidCode
    body, signature = raw[:34], raw[34:]
    try:
        _card_key().public_key().verify(signature, body)
    except InvalidSignature as error:
        raise InvalidCode from error
    return CardCode(UUID(bytes=body[:16]), UUID(bytes=body[16:32]), int.from_bytes(body[32:34], "big"))


def _drawn(text: str) -> "qrcode.QRCode[Any]":
    drawing = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=12, border=4)
    drawing.add_data(text)
    drawing.make(fit=True)
    return drawing


def png(text: str) -> bytes:
    """The QR image of a text as PNG, black on white, four modules of quiet zone."""
    out = io.BytesIO()
    _drawn(text).make_image().save(out)
    return out.getvalue()


def svg(text: str) -> bytes:
    """The QR image of a text as SVG."""
    out = io.BytesIO()
    _drawn(text).make_image(image_factory=SvgPathImage).save(out)
    return out.getvalue()
