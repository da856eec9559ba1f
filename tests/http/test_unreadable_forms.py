"""A form's text in a character set of its own: what cannot be read, or be written into a page, is refused with 400."""

from collections.abc import Mapping

import httpx
import pytest

from tests.support.town import Town
from timebank.http.callers import csrf_token


def multipart(fields: Mapping[str, str], name: str, value: bytes, charset: str) -> tuple[bytes, dict[str, str]]:
    """The body and content type of a form whose last field is written in a character set of its own."""
    parts = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    head = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n'
    )
    body = b"".join(parts) + head.encode() + value + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("charset", "value"),
    [("utf-7", b"+2AA-"), ("unicode_escape", rb"\ud800"), ("idna", b"xn--" + b"a" * 100), ("undefined", b"a")],
)
async def test_a_text_that_no_page_can_write_is_refused_and_breaks_no_page(
    town: Town, client: httpx.AsyncClient, charset: str, value: bytes
) -> None:
    token = await town.token("赵丽")
    sent = {"_csrf": csrf_token(token), "unit": "袋", "points": "-3"}
    body, kind = multipart(sent, "name", value, charset)
    answer = await client.post("/admin/goods", content=body, headers=kind | {"Cookie": f"timebank_session={token}"})
    assert answer.status_code == 400
    body, kind = multipart({"password": "x"}, "phone", value, charset)
    assert (await client.post("/sign-in", content=body, headers=kind)).status_code == 400
