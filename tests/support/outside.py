"""Runs the service from outside: a PostgreSQL of its own that can be stopped, and processes that can be killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from timebank.operations import embedded

SECRET = "a secret key that only these tests know, 32+"
OTHER_SECRET = "another key of at least thirty-two characters"
PHONE, PASSWORD = "19900008001", "梅林的密码-2026"
Process = subprocess.Popen[bytes]


@dataclass
class Outside:
    """A database server and the commands run on it, in a folder that every account may enter."""

    folder: Path
    server: embedded.Server | None = None
    url: str = ""
    started: list[Process] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "pg"

    def start_server(self) -> None:
        self.server = embedded.start(self.data, settings={"fsync": "off"})
        embedded.create_database(self.server, "timebank")
        self.url = self.server.url("timebank")

    def stop_server(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def server_processes(self) -> list[int]:
        """The process ids of the postmaster and its children."""
        postmaster = int((self.data / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
        return [postmaster, *children_of(postmaster)]

    @contextmanager
    def frozen_server(self) -> Iterator[None]:
        stopped = self.server_processes()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in {*stopped, *self.server_processes()}:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def environment(self, **changed: str | None) -> dict[str, str]:
        known: dict[str, str | None] = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "LANG": "C.UTF-8", "TMPDIR": str(self.folder),
            "TIMEBANK_DATABASE_URL": self.url, "TIMEBANK_SECRET_KEY": SECRET, "TIMEBANK_LEAVE_SECONDS": "1",
        }  # fmt: skip
        return {name: value for name, value in (known | changed).items() if value is not None}

    def run(self, *arguments: str, given: str = "", **changed: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "timebank", *arguments], input=given, env=self.environment(**changed),
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def begin(self, *arguments: str, **changed: str | None) -> Process:
        """Start a long-running command; its output goes to a log file."""
        log = (self.folder / f"{len(self.started)}.log").open("wb")
        command = [sys.executable, "-m", "timebank", *arguments]
        environment = self.environment(**changed)
        self.started.append(subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log))
        log.close()
        return self.started[-1]

    def said(self, process: Process) -> str:
        return (self.folder / f"{self.started.index(process)}.log").read_text()

    def address(self, process: Process) -> str:
        """Wait until the process prints the address at which it serves; return it."""
        found = until(lambda: re.search(r"^http://\S+$", self.said(process), re.MULTILINE))
        return str(found.group())

    def found_town(self) -> None:
        """Migrate, and create a community with an administrator."""
        for ran in (
            self.run("migrate"),
            self.run(
                "create-admin", "--name", "何晓梅", "--phone", PHONE, "--community", "梅林社区", "--county", "清江县",
                "--street", "梅林街道", "--password-stdin", given=f"{PASSWORD}\n",
            ),
        ):  # fmt: skip
            assert ran.returncode == 0, ran.stderr

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
        self.stop_server()
        for pid_file in self.folder.glob("*/pgdata/postmaster.pid"):  # left by a demo that was killed
            embedded.start(pid_file.parents[1]).stop()


@contextmanager
def outside() -> Iterator[Outside]:
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    folder.chmod(0o755)
    there = Outside(folder)
    try:
        there.start_server()
        yield there
    finally:
        there.end()
        shutil.rmtree(folder, ignore_errors=True)


def children_of(pid: int) -> list[int]:
    """The ids of a process's living children, read from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return found


def serving_children(process: Process) -> list[int]:
    """The serving processes of `serve --workers N`, without the resource tracker of `multiprocessing`."""

    def is_serving(pid: int) -> bool:
        with suppress(FileNotFoundError, ProcessLookupError):
            return b"spawn_main" in Path("/proc", str(pid), "cmdline").read_bytes()
        return False

    return [pid for pid in children_of(process.pid) if is_serving(pid)]


def is_alive(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(look: Callable[[], Any], seconds: float = 90) -> Any:
    """Call `look` until it returns something true, and return that; a refused connection counts as nothing."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.TransportError):
            if found := look():
                return found
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def ready(address: str) -> httpx.Response:
    return httpx.get(f"{address}/readyz", timeout=30)


def is_ready(address: str) -> bool:
    return ready(address).status_code == 200


def reason(address: str) -> object:
    return ready(address).json().get("reason")


def sign_in(address: str) -> dict[str, str]:
    """Sign in; retry a 503, because each serving process connects to the database by itself and one may be later."""

    def answered() -> httpx.Response | None:
        answer = httpx.post(f"{address}/api/v1/sessions", json={"phone": PHONE, "password": PASSWORD}, timeout=30)
        return None if answer.status_code == 503 else answer

    opened = until(answered)
    assert opened.status_code == 201, opened.text
    return {"Authorization": f"Bearer {opened.json()['token']}"}


def tell(line: str) -> None:
    """Print a measured figure, which `pytest -s` shows."""
    sys.stdout.write(f"\n  {line}\n")


def lines(said: str) -> list[dict[str, object]]:
    """The log's lines as JSON, without the address; a line that is not JSON is an error."""
    return [json.loads(line) for line in said.splitlines() if not line.startswith("http://")]
