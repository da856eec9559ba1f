"""The cookie that keeps the tokens of a browser that has signed in before."""

from collections.abc import Sequence

from litestar.datastructures import Cookie

from timebank.access.sign_in.browsers import BROWSER_COOKIE, KEPT_DAYS, LOGINS_MAX
from timebank.core import settings


def browser_cookie(tokens: Sequence[str]) -> Cookie:
    """The cookie of a browser's tokens: sent to the sign-in pages only, not readable by scripts."""
    return Cookie(
        key=BROWSER_COOKIE, value=".".join(tokens[:LOGINS_MAX]), path="/sign-in", max_age=KEPT_DAYS * 86400,
        httponly=True, samesite="lax", secure=settings.current().secure,
    )  # fmt: skip
