"""Every code that is shown or printed: signed here, verified here, drawn here.

Three kinds, each a link on our own host: a station's (`/c/`), a person's (`/p/`), a printed card's (`/k/`). Payloads
are base64url without padding. Station and personal codes carry a time step and an 80-bit truncated HMAC-SHA-256; cards
carry an Ed25519 signature, so that a counter without network can check them with the public key alone. None carries
personal data.
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
# On any host and below any path; messengers append `?from=…` to a link that is passed on.
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
    """When a step ends and the next code is shown."""
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
    """The payload that a station shows at a moment."""
    return _timed("station-code", community_id, station_id, epoch, step_of(moment, STATION_STEP_SECONDS))


def person_code(community_id: UUID, person_id: UUID, epoch: int, moment: datetime) -> str:
    """The payload that a person's phone shows at a moment."""
    return _timed("person-code", community_id, person_id, epoch, step_of(moment, PERSON_STEP_SECONDS))


def card_code(community_id: UUID, card_id: UUID, epoch: int) -> str:
    """The payload that is printed on a card: it says nothing about its holder."""
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
    """The code in a scanned link or bare `kind/payload`. Only its shape is checked here, and a card's signature.

    Raises InvalidCode for anything else: another kind of link, other text, a damaged payload.
    """
    return _found(text)[1]


def path(text: str) -> str:
    """The `kind/payload` of a scanned text as it was made, whatever the keyboard did to it. Raises InvalidCode."""
    return _found(text)[0]


def _found(text: str) -> tuple[str, Code]:
    """The path and the code of the first reading of a scanned text that is one."""
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
    """The `kind/payload` of a link; any other text as it is.

    The host decides nothing: a card was printed under an address that may have changed since, and its signature, like
    the keyed hash of the other two kinds, says whether it is ours.
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
    """The same as SVG."""
    out = io.BytesIO()
    _drawn(text).make_image(image_factory=SvgPathImage).save(out)
    return out.getvalue()
