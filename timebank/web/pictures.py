"""QR images that are embedded in the page, so that they have no address and are not cached separately."""

import base64

from timebank.core import codes


def qr_image(url: str) -> str:
    """A link as a QR image for the `src` of an `img`."""
    return "data:image/png;base64," + base64.b64encode(codes.png(url)).decode()
