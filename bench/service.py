"""What is measured: `timebank serve` as a user starts it, and pgbench with a verb's statement, on the same server."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import asyncpg
import click

from bench.ground import Ground
from bench.verbs import Verb
from timebank.operations import embedded

READY_SECONDS_MAX = 60
PGBENCH_ONCE_PER_SECOND = 5_000  # about what pgbench does; so many people check in or out in a second of its run


class serving:  # noqa: N801  # used as `with serving(...) as service`
    """Runs `timebank serve` on a free port until the block ends, as a user would start it."""

    def __init__(self, url: str, key: str, workers: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        environment = os.environ | {
            "TIMEBANK_DATABASE_URL": url,
            "TIMEBANK_SECRET_KEY": key,
            "TIMEBANK_LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "timebank", "serve", "--port", str(self.port), "--workers", str(workers)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        self.ready = f"http://127.0.0.1:{self.port}/readyz"

    def __enter__(self) -> Self:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.ready, timeout=5).close()  # noqa: S310  # the own service
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise click.ClickException("the service did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


@dataclass
class Pgbench:
    """Runs a verb's statement over pgbench's community; `done` counts its transactions by statement."""

    server: embedded.Server
    url: str
    ground: Ground
    connections: int
    folder: Path
    done: dict[str, int] = field(default_factory=dict)

    def analyse(self) -> None:
        """Vacuum and analyse all tables, as the server does by itself a minute after they have begun to grow."""

        async def analyse() -> None:
            connection = await asyncpg.connect(self.url)
            await connection.execute("VACUUM ANALYZE")
            await connection.close()

        asyncio.run(analyse())

    def per_second(self, verb: Verb, seconds: float) -> float:
        """Transactions a second, without the time to connect."""
        command = [
            str(self.server.bin_dir / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={self.connections}",
            "--jobs=1", f"--file={self._script(verb)}", *self._length(verb, seconds), *self._variables(verb), self.url,
        ]  # fmt: skip
        if verb.prepares:
            asyncio.run(self._prepare(verb))
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        tps = re.search(r"^tps = ([\d.]+)", ran.stdout, re.MULTILINE)
        count = re.search(r"transactions actually processed: (\d+)", ran.stdout)
        if ran.returncode or tps is None or count is None:
            raise click.ClickException(f"pgbench failed: {(ran.stderr or ran.stdout)[:1000]}")
        self.done[verb.script] = self.done.get(verb.script, 0) + int(count[1])
        return float(tps[1])

    def _length(self, verb: Verb, seconds: float) -> list[str]:
        if verb.people != "once":
            return [f"--time={max(1, round(seconds))}"]
        people = min(self.ground.persons, round(seconds * PGBENCH_ONCE_PER_SECOND))
        return [f"--transactions={max(1, people // self.connections)}"]

    def _variables(self, verb: Verb) -> list[str]:
        ground = self.ground
        people = len(ground.readers) if verb.people == "reader" else ground.persons
        values = {
            "first": ground.first, "last": ground.first + people - 1, "clients": self.connections, "turn": 0,
            "first_good": len(ground.stock) + 1, "last_good": len(ground.stock) + max(1, verb.goods),
            "issued_minutes": ground.issued["minute"], "issued_points": ground.issued["point"],
        }  # fmt: skip
        return [f"--define={name}={value}" for name, value in values.items()]

    def _script(self, verb: Verb) -> Path:
        """Everybody once, each client its own people; else people drawn by chance."""
        if verb.people == "once":
            drawn = "\\set n :first + :client_id + :turn * :clients\n\\set turn :turn + 1\n"
        else:
            drawn = "\\set n random(:first, :last)\n"
        drawn += "\\set good random(:first_good, :last_good)\n"
        path = self.folder / "statement.sql"
        path.write_text(drawn + verb.script, encoding="utf-8")
        return path

    async def _prepare(self, verb: Verb) -> None:
        """Before a run of check-outs everybody gets an open visit; before one of check-ins nobody has one."""
        connection = await asyncpg.connect(self.url)
        for sql in verb.prepares:
            await connection.execute(sql, self.ground.beside)
        await connection.execute("VACUUM ANALYZE visit")
        await connection.close()
