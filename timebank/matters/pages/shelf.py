"""The shelf of a phone on which reports wait for the network: whose they are, and the key that opens them."""

import base64
import hmac

import msgspec

from timebank.core import vault
from timebank.core.scope import Scope


class Shelf(msgspec.Struct, frozen=True):
    """Given to the reader's own pages alone, so that nobody else who signs in on the phone can open what waits."""

    owner: str
    key: str


def shelf_of(caller: Scope) -> Shelf | None:
    """The shelf of this login acting for this resident; None for a device, which is shared."""
    if caller.login_id is None or caller.device_id is not None or caller.person_id is None:
        return None
    whose = caller.login_id.bytes + caller.person_id.bytes
    owner = hmac.digest(vault.key_for("owner of kept reports"), whose, "sha256").hex()[:32]
    key = hmac.digest(vault.key_for("kept reports"), whose, "sha256")
    return Shelf(owner=owner, key=base64.b64encode(key).decode())
