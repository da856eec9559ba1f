"""Codes as images that a page holds in itself: never cached, never an address of their own."""

import base64

from timebank.core import codes


def qr_image(url: str) -> str:
    """A link as a QR image for an `img`."""
    return "data:image/png;base64," + base64.b64encode(codes.png(url)).decode()
