"""Runs the service in its own process, on a free port."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

READY_SECONDS_MAX = 60


@dataclass(frozen=True)
class Service:
    base_url: str
    database_url: str
    secret_key: str
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(
    database_url: str, folder: Path, *, secret_key: str | None = None, port: int | None = None
) -> Iterator[Service]:
    """Run `timebank serve` until the block ends; its log is kept in the folder."""
    port, key = port or free_port(), secret_key or secrets.token_hex(32)
    service = Service(f"http://127.0.0.1:{port}", database_url, key, folder / "service.log")
    with service.log.open("a") as log:
        process = _started(service, log, "serve", "--port", str(port))
        try:
            _wait(process, port, service.log)
            yield service
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def working(service: Service, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `timebank worker` on the service's database until the block ends; a test may kill it earlier."""
    with (folder / "worker.log").open("a") as log:
        process = _started(service, log, "worker")
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _started(service: Service, log: IO[str], *words: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "TIMEBANK_DATABASE_URL": service.database_url,
        "TIMEBANK_SECRET_KEY": service.secret_key,
        "TIMEBANK_BASE_URL": service.base_url,
    }
    return subprocess.Popen([sys.executable, "-m", "timebank", *words], env=environment, stdout=log, stderr=log)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")
