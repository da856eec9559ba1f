"""docs/duties.md as a table, and what drives one line of it."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from litestar import Litestar

from tests.matrix.matrix import Operation, ask, code_of, operations
from tests.matrix.rounds import DEVICES, PEOPLE, Round
from tests.support.shop import API

SECRET = "a secret key that only the tests know, 32+"

DOCUMENT = Path(__file__).parents[2] / "docs" / "duties.md"
# What no refused request may change, and what a change that waits must leave as it is.
MOVED = (
    "SELECT concat_ws(' ', (SELECT count(*) FROM transfer), (SELECT count(*) FROM role_grant WHERE ended_at IS NULL), "
    "(SELECT count(*) FROM guardianship WHERE consented_at IS NOT NULL AND ended_at IS NULL), "
    "(SELECT count(*) FROM membership), (SELECT count(*) FROM card WHERE revoked_at IS NULL), "
    "(SELECT count(*) FROM device WHERE revoked_at IS NULL), (SELECT count(*) FROM one_time_code), "
    "(SELECT md5(string_agg(p::text, '')) FROM policy p), (SELECT count(*) FROM rule), "
    "(SELECT sum(change) FROM stock_move), "
    "(SELECT count(*) FROM person), (SELECT md5(string_agg(status || phone_last4, '' ORDER BY id)) FROM person), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM deed), "
    "(SELECT md5(string_agg(status || minutes, '' ORDER BY id)) FROM service_record), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM redemption), "
    "(SELECT md5(string_agg(status, '' ORDER BY id)) FROM booking), (SELECT count(*) FROM visit))"
)


Fields = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One verb of the document."""

    id: str
    routes: tuple[str, ...]
    commands: tuple[str, ...]
    agrees: str
    verbs: tuple[str, ...]


def lines() -> list[Line]:
    """Every row of the document's tables."""
    found = []
    for text in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if len(cells) != 8 or cells[0] in ("编号", "---"):
            continue
        assert all(cells), f"{cells[0]}: no cell is left empty"
        quoted = re.findall(r"`([^`]+)`", cells[2])
        routes = tuple(each for each in quoted if re.match(r"[A-Z]+ /", each))
        commands = tuple(each for each in quoted if each.startswith("timebank "))
        assert len(routes) + len(commands) == len(quoted), cells[0]
        found.append(Line(cells[0], routes, commands, cells[5], tuple(re.findall(r"`([a-z_]+)`", cells[6]))))
    return found


@dataclass(kw_only=True)
class Driving:
    """One line on a real database: who is refused, who does it, who must agree, and what the audit has of it."""

    app: Litestar
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    made: Round
    line: Line
    folder: Path
    database: str
    seen: set[str] = field(default_factory=set)
    waited: bool = False

    def operation(self, name: str | None) -> Operation:
        """An operation by its name; else the line's first."""
        wanted = name or self.line.routes[0]
        return next(op for op in operations(self.app) if op.name == wanted)

    async def send(
        self, role: str, name: str | None = None, /, *, objects: Mapping[str, str] = {}, **body: Any
    ) -> httpx.Response:
        made = replace(self.made, objects={**self.made.objects, **objects})
        return await ask(self.client, made, role, self.operation(name), body)

    async def refused(
        self, role: str, code: str, name: str | None = None, /, *, objects: Mapping[str, str] = {}, **body: Any
    ) -> None:
        """The forbidden actor is told why, by its code, and nothing has moved."""
        stood = await self.moved()
        answer = await self.send(role, name, objects=objects, **body)
        assert 400 <= answer.status_code < 500, f"{role}: {answer.status_code} {answer.text[:300]}"
        assert code_of(answer) == code, f"{role}: {answer.status_code} {answer.text[:300]}"
        assert await self.moved() == stood, f"{role} was refused and something moved"

    async def done(
        self, role: str, /, *verbs: str, op: str | None = None, objects: Mapping[str, str] = {}, **body: Any
    ) -> Any:
        """It is done, and the audit has its verbs with who did it, on a tablet with the device too."""
        before = await self.rows_before()
        answer = await self.send(role, op, objects=objects, **body)
        assert answer.status_code in (200, 201, 204, 303), f"{role}: {answer.status_code} {answer.text[:300]}"
        await self.recorded(role, before, *verbs)
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    async def waits(
        self,
        role: str,
        second: str,
        /,
        *verbs: str,
        op: str | None = None,
        objects: Mapping[str, str] = {},
        **body: Any,
    ) -> None:
        """It waits for a second person: nothing has moved until that person agrees, and who asked may not agree."""
        stood, before = await self.moved(), await self.rows_before()
        answer = await self.send(role, op, objects=objects, **body)
        told = answer.json()
        assert (answer.status_code, bool(told["who"])) == (202, True), answer.text
        assert await self.moved() == stood, "it waits and yet something moved"
        await self.recorded(role, before, "propose")
        self.waited = True
        path, agree = f"{API}/agreements/{told['waiting']}/decision", {"decision": "agree"}
        own = await self.client.post(path, json=agree, headers=self.made.bearer[role])
        assert own.status_code == 403, own.text
        assert await self.moved() == stood
        agreed = await self.client.post(path, json=agree, headers=self.made.bearer[second])
        assert (agreed.status_code, agreed.json()["status"]) == (200, "agreed"), agreed.text
        assert await self.moved() != stood, "it was agreed to and nothing moved"
        await self.recorded(second, before, "decide_change", *verbs)

    async def moved(self) -> str:
        stand: str = await self.owner.fetchval(MOVED)
        return stand

    async def run(self, *arguments: str, given: str = "", status: int = 0) -> None:
        """Run the command as whoever is signed in to the server."""
        known = {"TIMEBANK_DATABASE_URL": self.database, "TIMEBANK_SECRET_KEY": SECRET, "PATH": os.environ["PATH"]}
        ran = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "timebank", *arguments], env=known, input=given,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == status, ran.stdout + ran.stderr

    async def rows_before(self) -> set[UUID]:
        """The rows of the audit up to now. Their ids have no order: sign-ins are written by the database."""
        return {row["id"] for row in await self.owner.fetch("SELECT id FROM audit")}

    async def recorded(self, role: str | None, before: set[UUID], *verbs: str) -> None:
        """Each verb has a row since then, by whoever did it; None for the system, which is nobody."""
        found = await self.owner.fetch("SELECT id, verb, login_id, device_id FROM audit")
        rows = [row for row in found if row["id"] not in before]
        for verb in verbs:
            found = [row for row in rows if row["verb"] == verb]
            assert found, f"{verb} is not among {sorted({row['verb'] for row in rows})}"
            login = self.made.town.logins[PEOPLE.get(role, "周敏")] if role else None
            assert login in {row["login_id"] for row in found}, f"{verb} names another than {role}"
            if role in DEVICES:
                assert {row["device_id"] for row in found} != {None}, f"{verb} names no device"
            self.seen.add(verb)


Driver = Callable[[Driving], Awaitable[None]]
DRIVERS: dict[str, Driver] = {}


def drives(line: str) -> Callable[[Driver], Driver]:
    """This function drives the line of the document with this id."""

    def kept(driver: Driver) -> Driver:
        assert line not in DRIVERS, line
        DRIVERS[line] = driver
        return driver

    return kept
