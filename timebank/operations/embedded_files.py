"""The files of a bundled server: its pid file, the folder of its socket, the end of its log."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from timebank.operations.embedded_programs import (
    HERE,
    Account,
)

SOCKET_PATH_BYTES_MAX = 103  # 107 on Linux, 103 on macOS.
SOCKET_FOLDER_PREFIX = "timebank-pg-"
PORT = "5432"


def read_pid_file(cluster: Path) -> list[str] | None:
    """Lines of postmaster.pid: pid, folder, start time, port, socket folder, address, memory, state. None: no file."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines() or None
    except FileNotFoundError:
        return None


def is_same_folder(pid: str, place: str, cluster: Path) -> bool:
    """Whether the server of the pid file runs in this folder; False if the folder was copied while its server ran."""
    if place != HERE:
        return place == str(cluster)
    try:
        return Path("/proc", pid, "cwd").samefile(cluster)
    except FileNotFoundError:
        return False
    except PermissionError:  # Root in a container may not read it; then the process name must suffice.
        return True


def socket_folder(cluster: Path, account: Account, *, reachable: bool) -> Path:
    """The folder for the socket: the cluster's own, which is private, or a new one in /tmp.

    The latter if the account cannot reach the cluster by its path, or if the path is too long for a socket.
    """
    if reachable and len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX:
        return cluster
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER_PREFIX, dir="/tmp"))
    account.give(folder)
    return folder


def remove_socket_folder(folder: Path) -> None:
    if folder.name.startswith(SOCKET_FOLDER_PREFIX):
        with suppress(OSError):
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()


def last_words(data: Path) -> str:
    lines = (data / "server.log").read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "日志为空。"
