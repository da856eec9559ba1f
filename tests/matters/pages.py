"""A browser on the pages of those who handle matters."""

import re
from typing import Any

import httpx

from tests.support.town import Town
from timebank.http.callers import SESSION_COOKIE, csrf_token

TURNED_DOWN = re.compile(r'<div class="notice is-wrong" role="alert">.*?<div>(.*?)</div>', re.DOTALL)


class Pages:
    """Somebody with the service open: `get` reads a page, `post` sends a form of it."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.token = client, token

    @classmethod
    async def of(cls, client: httpx.AsyncClient, town: Town, name: str) -> "Pages":
        return cls(client, await town.token(name))

    async def get(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, headers=self.headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    async def post(self, path: str, status: int = 303, photo: bytes | None = None, **fields: Any) -> httpx.Response:
        """Send a form as the browser does; `photo` makes it one with a file."""
        given = {name: str(value) for name, value in fields.items()} | {"_csrf": csrf_token(self.token)}
        files = None if photo is None else {"photo": ("after.png", photo, "image/png")}
        answer = await self.client.post(path, data=given, files=files, headers=self.headers)
        assert answer.status_code == status, (path, answer.status_code, TURNED_DOWN.findall(answer.text))
        return answer

    async def refused(self, path: str, status: int, **fields: Any) -> str:
        """Send a form that is refused; what the page says above it."""
        answer = await self.post(path, status, **fields)
        return " ".join(TURNED_DOWN.findall(answer.text)) or answer.text

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"{SESSION_COOKIE}={self.token}", "Accept": "text/html"}
