"""The cookie that keeps the tokens of a browser that has signed in before."""

from collections.abc import Sequence

from litestar.datastructures import Cookie

from timebank.access.sign_in.browsers import BROWSER_COOKIE, KEPT_DAYS, LOGINS_MAX
from timebank.core import settings


def browser_cookie(tokens: Sequence[str]) -> Cookie:
    """The cookie that keeps a browser's tokens; it is sent to the sign-in page alone and out of scripts' reach."""
    return Cookie(
        key=BROWSER_COOKIE, value=".".join(tokens[:LOGINS_MAX]), path="/sign-in", max_age=KEPT_DAYS * 86400,
        httponly=True, samesite="lax", secure=settings.current().secure,
    )  # fmt: skip
