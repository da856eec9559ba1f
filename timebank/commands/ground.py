"""What every command stands on: settings with a database, a secret key, and a loop that ends cleanly."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from timebank.core import settings, vault
from timebank.core.database import connections
from timebank.core.database.connections import NotOpen
from timebank.core.errors import TimebankError
from timebank.core.settings import Settings
from timebank.operations import embedded, installation, serving_login

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., object])

log = structlog.get_logger()

DATABASE = "timebank"
SERVING = "timebank_serving"
KEY_FILE = "secret.key"
KEY_LENGTH_MIN = 32


class BadKeyFile(TimebankError):
    code = "bad_key_file"
    status = 500
    sentence = "密钥文件 {path} 不能用：请从备份恢复，或设置 TIMEBANK_SECRET_KEY。"


class CannotWrite(TimebankError):
    code = "cannot_write"
    status = 500
    sentence = "写不了 {path}（{why}）：请换一个自己可写的位置。"


def with_data(command: Command) -> Command:
    """The option that names the folder of the bundled PostgreSQL."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="自带 PostgreSQL 的数据目录；设置了 TIMEBANK_DATABASE_URL 时不用它。默认 TIMEBANK_DATA 或 .timebank。",
    )(command)


def with_json(command: Command) -> Command:
    """The option for programs: one line of JSON on standard output, a refusal too."""
    return click.option("--json", "as_json", is_flag=True, help="输出一行 JSON，供程序读取。")(command)


@contextmanager
def ground(data: Path | None, *, makes_key: bool = False) -> Iterator[Settings]:
    """Settings in force that have a database: TIMEBANK_DATABASE_URL's, else the bundled one in the data folder.

    Without TIMEBANK_SECRET_KEY the key kept in the data folder serves; `makes_key` makes one where there is none, and
    none was ever used on this database.
    """
    chosen = settings.from_environment()
    chosen = replace(chosen, data=data or chosen.data)
    if not chosen.secret_key:
        chosen = replace(chosen, secret_key=kept_key(chosen.data))
    with _with_server(chosen) as (url, operator_url):
        chosen = replace(chosen, database_url=url, operator_database_url=operator_url)
        if makes_key and not chosen.secret_key:
            run(require_new(chosen))
            make_key(chosen.data)
            chosen = replace(chosen, secret_key=kept_key(chosen.data))
        settings.use(chosen)
        yield chosen


@contextmanager
def _with_server(chosen: Settings) -> Iterator[tuple[str, str | None]]:
    """The addresses of the database, the service's and the operator's: those that are set, else those of one on the
    bundled server, which runs meanwhile.
    """
    if chosen.database_url:
        yield chosen.database_url, chosen.operator_database_url
        return
    server = embedded.start(chosen.data)
    try:
        embedded.create_database(server, DATABASE)
        embedded.create_login(server, SERVING, DATABASE)
        yield server.url(DATABASE, SERVING), server.url(DATABASE)
    finally:
        server.stop()


def make_key(data: Path) -> None:
    """Put a new secret key into the data folder, whole from the first moment; one that is there already stays."""
    data.mkdir(parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=data, prefix=KEY_FILE)  # readable by its owner alone
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(written, data / KEY_FILE)
    Path(written).unlink()


def kept_key(data: Path) -> bytes:
    """The secret key in the data folder; empty where there is none."""
    path = data / KEY_FILE
    if not path.exists():
        return b""
    key = path.read_bytes().strip()
    if len(key) < KEY_LENGTH_MIN:
        raise BadKeyFile(path=path)
    return key


@asynccontextmanager
async def pool(chosen: Settings, *, waits: bool = False, operates: bool = False) -> AsyncIterator[None]:
    """The pool on a database that has every migration of this version and is sealed by our key.

    A command refuses at once; what runs for long (`waits`) starts without a database and serves when it comes. What
    appoints or enters people without anybody's session `operates`: that is the operator's, by the operator's address.
    """
    url = chosen.operator_url if operates else chosen.database_url
    assert url is not None
    if operates:
        await require_operator(url)
    await installation.open_pool(url, chosen.pool_size)
    try:
        await _reach(waits=waits)
        yield
    finally:
        await connections.close_pool()


async def require_operator(url: str) -> None:
    async with connections.connect_once(url) as connection:
        if not await serving_login.is_operator(connection):
            raise serving_login.OperatorNeeded


async def warning_of_power(chosen: Settings, announce: Callable[[], None]) -> Callable[[], None]:
    """The announcement, and after it a warning as long as the service's login could do everything."""
    assert chosen.database_url is not None
    may_do_everything = False
    with suppress(NotOpen):
        async with connections.connect_once(chosen.database_url) as connection:
            may_do_everything = await serving_login.is_operator(connection)

    def told() -> None:
        announce()
        if may_do_everything:
            log.warning("the service's database login may do everything", see="docs/privileges.md")

    return told


async def _reach(*, waits: bool) -> None:
    try:
        await connections.require_reachable()
    except NotOpen as error:
        if not waits:
            raise
        log.warning("waiting for the database", why=str(error.__cause__))


async def require_key(chosen: Settings) -> None:
    """Refuse to run without a secret key, and say whether to make one or to look for the one that was used."""
    if chosen.secret_key:
        return
    await require_new(chosen)
    raise vault.FirstSecretKey


async def require_new(chosen: Settings) -> None:
    """Refuse a database on which a secret key was used before; one that does not answer may be such a one."""
    assert chosen.database_url is not None
    try:
        async with connections.connect_once(chosen.database_url) as connection:
            is_new = await installation.is_new(connection)
    except NotOpen as error:
        raise vault.NoSecretKey from error
    if not is_new:
        raise vault.NoSecretKey


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work in a loop of its own. A stop signal cancels it, so that it leaves nothing half done."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_unless_stopped(work))


async def _unless_stopped(work: Coroutine[Any, Any, T]) -> T:
    running = asyncio.ensure_future(work)
    with on_stop(running.cancel):
        try:
            return await running
        except asyncio.CancelledError:
            raise click.Abort from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:  # Not on every Python; its own loop serves as well.
        return None
    return uvloop.new_event_loop


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that is set by a stop signal: what runs for long ends what it does and returns."""
    stop = asyncio.Event()
    with on_stop(stop.set):
        yield stop


@contextmanager
def on_stop(callback: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-C and a stop signal call something in the running loop, unless a shell has switched Ctrl-C off."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heard = [number for number, handler in before.items() if handler != signal.SIG_IGN and sys.platform != "win32"]
    for number in heard:
        loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None]]:
    """A bar on standard error, on a terminal alone: call what it gives with the total and, if not one, the steps."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def told(total: int, steps: int = 1) -> None:
            bar.update(task, total=total, advance=steps)

        yield told
