"""`timebank serve`: serve pages and API until a stop signal."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import uvicorn

from timebank.app import create_app
from timebank.commands.counting import counted_together, remove_process_metrics
from timebank.commands.ground import (
    ground,
    pool,
    require_secret_key,
    run_command,
    stop_signals,
    warning_of_power,
    with_data,
)
from timebank.commands.supervising import Lifeline, Supervisor
from timebank.commands.timeouts import PatientProtocol
from timebank.core import settings
from timebank.core.errors import TimebankError, reason_of
from timebank.core.settings import Settings
from timebank.http.health import readiness
from timebank.operations import installation
from timebank.operations.logs import configure_logs
from timebank.operations.memory import keep_what_is_loaded, return_large_blocks

STOP_SECONDS_MAX = 10
CLOSE_SECONDS_MAX = 10
"""Time for a process to close its connections after the last request."""


class PortTaken(TimebankError):
    code = "port_taken"
    status = 500
    sentence = "端口 {port} 已被别的程序占用。请用 --port 换一个，--port 0 会自动挑一个空闲的。"


class CannotListen(TimebankError):
    code = "cannot_listen"
    status = 500
    sentence = "不能在 {host}:{port} 上提供服务（{why}）。请换一个 --host 或 --port。"


@click.command("serve", help="提供网页和接口。")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的地址。")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="端口；0 自动挑选。")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="进程数。")
@with_data
def serve(host: str, port: int, workers: int, data: Path | None) -> None:
    with ground(data) as chosen, listening(host, port) as listener:
        configure_logs()
        run_command(
            require_secret_key(chosen)
        )  # Without a key no code can be signed; refuse now, not at the first request.
        address = f"http://{host}:{listener.getsockname()[1]}"

        def announce() -> None:
            click.echo(address, err=True)

        if workers == 1:
            run_command(_serve_alone(chosen, listener, announce))
            return
        with counted_together():
            run_command(_serve_together(chosen, listener, workers, announce))


async def _serve_alone(chosen: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    return_large_blocks()
    async with pool(chosen, waits=True):
        announce = await warning_of_power(chosen, announce)
        with stop_signals() as stop:
            await serve_until(stop, OwnSignals(server_config(create_app(opens_pool=False)), announce), listener)


async def _serve_together(
    chosen: Settings, listener: socket.socket, workers: int, announce: Callable[[], None]
) -> None:
    async with pool(chosen, waits=True):
        # Opening a pool here refuses a wrong database before any process is started.
        announce = await warning_of_power(chosen, announce)
    stop_seconds_max = chosen.leave_seconds + STOP_SECONDS_MAX + CLOSE_SECONDS_MAX
    with stop_signals() as stop:
        work = partial(_serve_as_child, chosen, listener)
        await Supervisor(
            work=work,
            count=workers,
            stop_seconds_max=stop_seconds_max,
            announce=announce,
            on_end=remove_process_metrics,
        ).run(stop)


def _serve_as_child(chosen: Settings, listener: socket.socket, lifeline: Lifeline) -> None:
    """The work of one of several serving processes, which opens its own pool."""
    settings.use(chosen)
    return_large_blocks()

    async def work() -> None:
        server = OwnSignals(server_config(create_app()), lifeline.announce_started)
        with stop_signals() as stop:
            async with lifeline.ends(stop):
                await serve_until(stop, server, listener)

    run_command(work())


async def serve_until(stop: asyncio.Event, server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until `stop` is set, then report unready for `leave_seconds`, so that a balancer sends no more requests.

    After that the server finishes its open requests and returns.
    """

    async def end() -> None:
        await stop.wait()
        readiness.is_stopping = True
        await asyncio.sleep(settings.current().leave_seconds)
        server.should_exit = True

    ending = asyncio.create_task(end())
    try:
        await server.serve(sockets=[listener])
    finally:
        ending.cancel()


class OwnSignals(uvicorn.Server):
    """A uvicorn server without signal handlers: the command handles signals, because it also stops what runs beside
    the server, the bundled PostgreSQL last.

    `announce` is called once requests are answered. A task then analyses tables without statistics, which a restored
    database without a worker needs.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._announce = announce
        self._statistics: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            keep_what_is_loaded()
            self._statistics = asyncio.create_task(installation.try_to_analyze())
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._statistics is not None:
            self._statistics.cancel()
            await asyncio.wait([self._statistics])
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_config(app: object) -> uvicorn.Config:
    """uvicorn's configuration: our request log and timeouts, and proxy headers only from trusted proxies."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # Litestar types ASGI messages apart
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.current().trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; for port 0 the system picks a free port. Raises PortTaken, CannotListen."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name == "posix":  # On Windows this option would let two programs share one port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(port=port) from error
            raise CannotListen(host=host, port=port, why=reason_of(error)) from error
        listener.set_inheritable(True)
        yield listener
    finally:
        listener.close()
