"""Shared by all commands: settings with a database, the secret key, the pool, and an event loop with stop signals."""

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
from timebank.core.database.refusals import NotOpen
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
    """Add the option for the folder of the bundled PostgreSQL."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="自带 PostgreSQL 的数据目录；设置了 TIMEBANK_DATABASE_URL 时不用它。默认 TIMEBANK_DATA 或 .timebank。",
    )(command)


def with_json(command: Command) -> Command:
    """Add the option for output as one line of JSON on standard output, also for refusals."""
    return click.option("--json", "as_json", is_flag=True, help="输出一行 JSON，供程序读取。")(command)


@contextmanager
def ground(data: Path | None, *, makes_key: bool = False) -> Iterator[Settings]:
    """Put settings with a database in force: TIMEBANK_DATABASE_URL, else the bundled server in the data folder.

    Without TIMEBANK_SECRET_KEY the key in the data folder is used. `makes_key` makes one if there is none and no key
    was ever used on this database.
    """
    chosen = settings.from_environment()
    chosen = replace(chosen, data=data or chosen.data)
    if not chosen.secret_key:
        chosen = replace(chosen, secret_key=kept_key(chosen.data))
    with _with_server(chosen) as (url, operator_url):
        chosen = replace(chosen, database_url=url, operator_database_url=operator_url)
        if makes_key and not chosen.secret_key:
            run_command(require_new(chosen))
            make_key(chosen.data)
            chosen = replace(chosen, secret_key=kept_key(chosen.data))
        settings.use(chosen)
        yield chosen


@contextmanager
def _with_server(chosen: Settings) -> Iterator[tuple[str, str | None]]:
    """The database URLs of the service and of the operator (None: the same).

    Without a configured URL the bundled server runs inside the context.
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
    """Write a new secret key into the data folder atomically; an existing key stays."""
    data.mkdir(parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=data, prefix=KEY_FILE)  # mkstemp makes it readable by its owner only
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(written, data / KEY_FILE)
    Path(written).unlink()


def kept_key(data: Path) -> bytes:
    """The secret key in the data folder, or empty bytes if there is none. Raises BadKeyFile for one too short."""
    path = data / KEY_FILE
    if not path.exists():
        return b""
    key = path.read_bytes().strip()
    if len(key) < KEY_LENGTH_MIN:
        raise BadKeyFile(path=path)
    return key


@asynccontextmanager
async def pool(chosen: Settings, *, waits: bool = False, operates: bool = False) -> AsyncIterator[None]:
    """Open the pool on a database that has every migration of this version and was encrypted with our key.

    Without a reachable database a command is refused at once; a long-running process (`waits`) starts and waits for it.
    `operates`: for commands that add people or role grants without a session, with the operator's database URL.
    """
    url = chosen.operator_url if operates else chosen.database_url
    assert url is not None
    if operates:
        await require_operator(url)
    await installation.open_checked_pool(url, chosen.pool_size)
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
    """Wrap `announce` to also log a warning if the service's database login has the operator's privileges."""
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


async def require_secret_key(chosen: Settings) -> None:
    """Refuse to run without a secret key.

    Raises FirstSecretKey if no key was ever used on the database, otherwise NoSecretKey.
    """
    if chosen.secret_key:
        return
    await require_new(chosen)
    raise vault.FirstSecretKey


async def require_new(chosen: Settings) -> None:
    """Raise NoSecretKey if a secret key was used on the database before, or if the database does not answer."""
    assert chosen.database_url is not None
    try:
        async with connections.connect_once(chosen.database_url) as connection:
            is_new = await installation.is_new(connection)
    except NotOpen as error:
        raise vault.NoSecretKey from error
    if not is_new:
        raise vault.NoSecretKey


def run_command(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine in a new event loop. A stop signal cancels it, which rolls back open transactions."""
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
    except ImportError:  # uvloop is not available on every Python; the standard loop works too.
        return None
    return uvloop.new_event_loop


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that a stop signal sets, on which a long-running process finishes its work and returns."""
    stop = asyncio.Event()
    with on_stop(stop.set):
        yield stop


@contextmanager
def on_stop(callback: Callable[[], object]) -> Iterator[None]:
    """Call `callback` in the running loop on SIGINT or SIGTERM, except for a signal that the shell has set to ignored.

    On Windows nothing is installed.
    """
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
    """Show a progress bar on standard error if it is a terminal.

    Yields a function to call with the total and the number of steps done since the last call (default 1).
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def told(total: int, steps: int = 1) -> None:
            bar.update(task, total=total, advance=steps)

        yield told
