"""Debian's PgBouncer in transaction mode in front of the test database: clients share one server connection."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from timebank.operations.embedded_programs import HERE, account_for

READY_SECONDS_MAX = 20
PORT = 6432


def program() -> str | None:
    """The path of PgBouncer; Debian installs it in /usr/sbin, which a user's PATH may lack."""
    return shutil.which("pgbouncer", path=os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin")


def server_of(url: str) -> dict[str, str]:
    """A database's address as the fields of PgBouncer's configuration line."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    told = {
        "host": query.get("host") or parts.hostname, "port": query.get("port") or parts.port or 5432,
        "user": unquote(parts.username or ""), "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.lstrip("/")),
    }  # fmt: skip
    return {name: str(value) for name, value in told.items() if value}


@contextmanager
def pooled(url: str, *, server_connections: int = 1) -> Iterator[str]:
    """Run a PgBouncer, not as root, which it refuses; yield the database's address through it."""
    executable = program()
    assert executable is not None
    account, folder = account_for(Path("/nowhere")), Path(tempfile.mkdtemp(prefix="tb-", dir="/tmp"))
    server = server_of(url)
    line = " ".join(f"{name}='{value}'" for name, value in server.items())
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{server['dbname']} = {line}\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n"
        f"default_pool_size = {server_connections}\nmax_client_conn = 200\nlisten_port = {PORT}\n"
        f"unix_socket_dir = {folder}\n"
    )
    account.give(folder)
    with (folder / "log").open("wb") as log:
        command = [executable, f"{HERE}/pgbouncer.ini" if Path(HERE).exists() else str(folder / "pgbouncer.ini")]
        process = account.popen(command, cwd=folder, log=log.fileno())
        try:
            _wait_for(folder / f".s.PGSQL.{PORT}", process, folder / "log")
            address = (
                f"{quote(server['user'])}@/{quote(server['dbname'])}?host={quote(str(folder), safe='')}&port={PORT}"
            )
            yield f"postgresql://{address}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            shutil.rmtree(folder)


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not socket.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
