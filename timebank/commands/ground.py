"""What every command stands on: settings with a database, a secret key, and a loop that ends cleanly."""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from timebank import database, embedded, settings
from timebank import migrate as migrations
from timebank.database import NotOpen
from timebank.errors import TimebankError
from timebank.settings import Settings

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., object])

DATABASE = "timebank"
KEY_FILE = "secret.key"
KEY_LENGTH_MIN = 32


class NotMigrated(TimebankError):
    code = "not_migrated"
    status = 503
    sentence = "数据库还不是这个版本的样子（缺 {missing}）。请先运行 timebank migrate。"


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

    Without TIMEBANK_SECRET_KEY the key kept in the data folder serves; `makes_key` makes one where there is none.
    """
    chosen = settings.from_environment()
    chosen = replace(chosen, data=data or chosen.data)
    if not chosen.secret_key:
        chosen = replace(chosen, secret_key=kept_key(chosen.data, makes_key=makes_key))
    if chosen.database_url:
        settings.use(chosen)
        yield chosen
        return
    server = embedded.start(chosen.data)
    try:
        embedded.create_database(server, DATABASE)
        chosen = replace(chosen, database_url=server.url(DATABASE))
        settings.use(chosen)
        yield chosen
    finally:
        server.stop()


def kept_key(data: Path, *, makes_key: bool) -> bytes:
    """The secret key in the data folder, readable by its owner alone; empty where there is none and none is made."""
    path = data / KEY_FILE
    if makes_key:
        data.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(secrets.token_hex(32))
    if not path.exists():
        return b""
    key = path.read_bytes().strip()
    if len(key) < KEY_LENGTH_MIN:
        raise BadKeyFile(path=path)
    return key


@asynccontextmanager
async def pool(chosen: Settings, size: int | None = None) -> AsyncIterator[None]:
    """The pool on a database that has every migration of this version."""
    assert chosen.database_url is not None
    await database.open_pool(chosen.database_url, size or chosen.pool_size)
    try:
        await require_migrated(chosen.database_url)
        yield
    finally:
        await database.close_pool()


async def require_migrated(url: str) -> None:
    """Refuse a database that lacks a migration, before anything fails in the middle."""
    try:
        connection = await asyncpg.connect(url, **database.connecting())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotOpen from error
    try:
        missing = sorted(set(migrations.known()) - set(await migrations.applied(connection)))
    finally:
        await connection.close()
    if missing:
        raise NotMigrated(missing="、".join(missing))


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
