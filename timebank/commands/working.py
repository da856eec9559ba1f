"""`timebank worker`: run the jobs that are due, until a stop signal."""

from pathlib import Path

import click

from timebank.commands.ground import ground, pool, require_secret_key, run_command, stop_signals, with_data
from timebank.core.settings import Settings
from timebank.operations.logs import configure_logs
from timebank.operations.worker import run_all, run_worker


@click.command("worker", help="定时任务：公示到期、预留到期、积分到期、日结等。可以同时开多个。")
@click.option("--once", is_flag=True, help="每件事做一遍就结束。")
@with_data
def worker(once: bool, data: Path | None) -> None:
    with ground(data) as chosen:
        configure_logs()
        run_command(require_secret_key(chosen))
        run_command(_work(chosen, once=once))


async def _work(chosen: Settings, *, once: bool) -> None:
    async with pool(chosen, waits=not once):
        if once:
            await run_all()
            return
        with stop_signals() as stop:
            await run_worker(stop)
