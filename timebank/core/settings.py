"""The only reader of the environment: every `TIMEBANK_*` variable, its meaning and its default."""

import os
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from timebank.core.errors import TimebankError


class BadSetting(TimebankError):
    code = "bad_setting"
    status = 500
    sentence = "设置 {name} 不能用：{why}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one running timebank needs to know. docs/settings.md lists every field's variable."""

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
    is_demo: bool = False  # set by the command alone: the demo's printed password is not asked to be changed

    @property
    def operator_url(self) -> str | None:
        """Where the operator's commands go: migrate, create-admin, import. One address may still do for both."""
        return self.operator_database_url or self.database_url

    @property
    def secure(self) -> bool:
        """Whether cookies are for https only: so wherever the service is reached by https."""
        return self.base_url.startswith("https://")

    @property
    def statement_cache_size(self) -> int:
        """Prepared statements kept by a connection: none where its next transaction may meet another server process."""
        return 0 if self.database_pooler == "transaction" else 100

    def require_no_pooler(self, what: str) -> None:
        """Refuse a pooler for what holds a lock or a role for a whole session."""
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
    """Addresses and networks whose X-Forwarded-For is believed."""
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
    )


_current: Settings | None = None


def current() -> Settings:
    """The settings in force: those given to `use`, else the environment's, read once."""
    global _current
    if _current is None:
        _current = from_environment()
    return _current


def use(settings: Settings) -> None:
    """Put settings in force that were made in the program: a demo's own server and key, a test's database."""
    global _current
    _current = settings


def count_together(folder: Path) -> None:
    """Let the processes that are started from now on keep their metrics in one folder, so that each tells of all."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
