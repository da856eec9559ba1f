"""The settings. Only this module reads the environment: every `TIMEBANK_*` variable and its default."""

import os
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from timebank.core.errors import TimebankError


class BadSetting(TimebankError):
    code = "bad_setting"
    status = 500
    sentence = "设置 {name} 不能用：{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process. docs/settings.md lists the variable of every field."""

    database_url: str | None = None
    operator_database_url: str | None = field(default=None, repr=False)
    secret_key: bytes = field(default=b"", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    pool_size: int = 10
    database_pooler: str = ""
    data: Path = Path(".timebank")
    log_level: str = "INFO"
    session_days: int = 30
    leave_seconds: int = 2
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    push_url: str | None = None
    push_secret: bytes = field(default=b"", repr=False)
    is_demo: bool = False  # set only by the command `demo`: nobody has to change the password that it prints

    @property
    def operator_url(self) -> str | None:
        """The database address of the operator's commands (migrate, create-admin, import); may equal `database_url`."""
        return self.operator_database_url or self.database_url

    @property
    def secure(self) -> bool:
        """Whether the service is reached by https, so that cookies are marked Secure."""
        return self.base_url.startswith("https://")

    @property
    def statement_cache_size(self) -> int:
        """Number of prepared statements per connection; 0 behind a pooler that changes the server connection."""
        return 0 if self.database_pooler == "transaction" else 300

    def require_no_pooler(self, what: str) -> None:
        """Raise BadSetting if a pooler is set. `what`, for the message, holds a lock or a role for a whole session."""
        if self.database_pooler:
            why = f"{what}要直接连数据库，请去掉它，并让 TIMEBANK_DATABASE_URL 写数据库本身的地址"
            raise BadSetting(name="TIMEBANK_DATABASE_POOLER", why=why)


def _integer(name: str, default: int, smallest: int, largest: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not smallest <= int(text) <= largest:
        raise BadSetting(name=name, why=f"要一个 {smallest} 到 {largest} 的整数")
    return int(text)


def _database_pooler() -> str:
    text = os.environ.get("TIMEBANK_DATABASE_POOLER", "")
    if text not in {"", "transaction"}:
        raise BadSetting(name="TIMEBANK_DATABASE_POOLER", why="要么不设，要么是 transaction（PgBouncer 的事务模式）")
    return text


def _trusted_proxies() -> tuple[str, ...]:
    """Addresses and networks of proxies whose X-Forwarded-For header is trusted."""
    text = os.environ.get("TIMEBANK_TRUSTED_PROXIES") or "127.0.0.1,::1"
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in found:
        try:
            network = ip_network(part)
        except ValueError as error:
            why = f"“{part}” 不是地址或网段；要写代理的地址，用逗号分开，例如 127.0.0.1,172.30.57.1"
            raise BadSetting(name="TIMEBANK_TRUSTED_PROXIES", why=why) from error
        if network.prefixlen == 0:
            raise BadSetting(name="TIMEBANK_TRUSTED_PROXIES", why="不能信任所有地址，谁都能冒充别人的地址")
    return found


def _secret_key() -> bytes:
    text = os.environ.get("TIMEBANK_SECRET_KEY", "")
    if text and len(text) < 32:
        raise BadSetting(name="TIMEBANK_SECRET_KEY", why="至少 32 个字符，请核对是否抄全了")
    return text.encode()


def _push_url() -> str | None:
    """The push gateway: by https, or on this machine by http. Only the operator names it, so it may be inside."""
    text = os.environ.get("TIMEBANK_PUSH_URL") or None
    if text is None:
        return None
    if not _is_safe(text):
        why = "要一个 https 的网址（在本机才可以用 http），里面不带用户名和密码"
        raise BadSetting(name="TIMEBANK_PUSH_URL", why=why)
    return text


_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


def _is_safe(url: str) -> bool:
    """Whether what is sent there is encrypted or stays on this machine, and the address holds no password."""
    try:
        to = urlsplit(url)
        has_host = bool(to.hostname) and to.port != 0
    except ValueError:
        return False
    here = to.scheme == "http" and to.hostname in _THIS_MACHINE
    return has_host and not to.username and (to.scheme == "https" or here)


def _push_secret() -> bytes:
    text = os.environ.get("TIMEBANK_PUSH_SECRET", "")
    if (text or os.environ.get("TIMEBANK_PUSH_URL")) and len(text) < 32:
        raise BadSetting(name="TIMEBANK_PUSH_SECRET", why="至少 32 个字符，和推送平台那边的一样")
    return text.encode()


def _time_zone() -> ZoneInfo:
    name = os.environ.get("TIMEBANK_TIME_ZONE") or "Asia/Shanghai"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(name="TIMEBANK_TIME_ZONE", why="要一个时区名，例如 Asia/Shanghai") from error


def from_environment() -> Settings:
    return Settings(
        database_url=os.environ.get("TIMEBANK_DATABASE_URL") or None,
        operator_database_url=os.environ.get("TIMEBANK_OPERATOR_DATABASE_URL") or None,
        secret_key=_secret_key(),
        base_url=(os.environ.get("TIMEBANK_BASE_URL") or "http://127.0.0.1:8000").rstrip("/"),
        time_zone=_time_zone(),
        pool_size=_integer("TIMEBANK_POOL_SIZE", 10, 1, 200),
        database_pooler=_database_pooler(),
        data=Path(os.environ.get("TIMEBANK_DATA") or ".timebank"),
        log_level=(os.environ.get("TIMEBANK_LOG_LEVEL") or "INFO").upper(),
        session_days=_integer("TIMEBANK_SESSION_DAYS", 30, 1, 365),
        leave_seconds=_integer("TIMEBANK_LEAVE_SECONDS", 2, 0, 120),
        trusted_proxies=_trusted_proxies(),
        push_url=_push_url(),
        push_secret=_push_secret(),
    )


_current: Settings | None = None


def current() -> Settings:
    """The settings in force: those given to `use`, else those of the environment, read once."""
    global _current
    if _current is None:
        _current = from_environment()
    return _current


def use(settings: Settings) -> None:
    """Replace the settings in force, as the demo (own server and key) and tests (own database) do."""
    global _current
    _current = settings


def count_together(folder: Path) -> None:
    """Let processes started from now on share one metrics folder, so that each of them reports the sum of all."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
