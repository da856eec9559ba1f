"""`timebank demo`: serve an invented county on one address, with a sign-in for every role."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from timebank import migrate
from timebank.app import create_app
from timebank.commands.ground import ground, pool, progress, run_command, stop_signals, with_data, with_json
from timebank.commands.serving import OwnSignals, listening, serve_until, server_config
from timebank.core import settings
from timebank.core.database import connections
from timebank.core.errors import TimebankError
from timebank.core.settings import Settings
from timebank.demo.accounts import Screen, SignIn, put_up_screens, sign_ins, take_down
from timebank.demo.settling import seed_once
from timebank.operations import installation, serving_login, worker

HOST = "127.0.0.1"
SEEDING_POOL = 12
ROLE_NAMES = {
    "community_admin": "社区管理员", "station_keeper": "站长", "volunteer": "志愿者", "building_head": "楼栋长",
    "unit_head": "单元长", "grid_worker": "网格员", "guardian": "家长", "street_admin": "街道管理员",
    "county_admin": "县管理员", "auditor": "审计员", "grid_head": "网格长", "unit_contact": "单位联络员",
    "mediator": "调解员", "mobile_worker": "流动网格员",
}  # fmt: skip


class DemoRuns(TimebankError):
    code = "demo_runs"
    status = 409
    sentence = "目录 {folder} 里的演示正在运行。请用那一个，或先停下它，或用 --data 另选一个目录。"


@click.command("demo", help="试用：自动建立一个演示县（两街道、三社区、2000 人、一年的往来）并提供服务。")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="端口；0 自动挑选。")
@with_data
@with_json
def demo(port: int, data: Path | None, as_json: bool) -> None:
    folder = data or settings.from_environment().data
    with listening(HOST, port) as listener, alone_in(folder), ground(data, makes_key=True) as given:
        given.require_no_pooler("演示")
        chosen, usual = given, Settings()
        if given.base_url == usual.base_url:
            chosen = replace(chosen, base_url=f"http://{HOST}:{listener.getsockname()[1]}")
        if given.log_level == usual.log_level:  # Log lines would hide the table of sign-ins.
            chosen = replace(chosen, log_level="WARNING")
        chosen = replace(chosen, leave_seconds=0, is_demo=True)
        settings.use(chosen)
        run_command(_demo(chosen, listener, as_json))


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock the folder for one demo: the first one to end would stop the database server of another.

    The lock is released when its process ends, however it ends.
    """
    import fcntl  # Not on Windows, where there is no bundled server to share.

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoRuns(folder=folder) from error
        yield


async def _demo(chosen: Settings, listener: socket.socket, as_json: bool) -> None:
    url, serving_url = chosen.operator_url, chosen.database_url
    assert url is not None
    assert serving_url is not None
    await migrate.migrate(url)
    await serving_login.prepare(url, serving_url)
    # Asynchronous commits are safe here: after a crash an unfinished seeding is repeated from the start.
    await installation.open_checked_pool(url + ("&" if "?" in url else "?") + "synchronous_commit=off", SEEDING_POOL)
    try:
        with progress("正在建立演示县") as told:
            await seed_once(url, told)
        people, screens = await sign_ins(), await put_up_screens()
    finally:
        await connections.close_pool()
    async with pool(chosen):
        try:
            await _serve(chosen, listener, people, screens, as_json)
        finally:
            await take_down(screens)


async def _serve(
    chosen: Settings, listener: socket.socket, people: list[SignIn], screens: list[Screen], as_json: bool
) -> None:
    """Serve and run the worker; print the sign-ins once requests are answered."""
    tell = _print_json if as_json else _print_table
    server = OwnSignals(server_config(create_app(opens_pool=False)), lambda: tell(chosen.base_url, people, screens))
    with stop_signals() as stop:
        async with asyncio.TaskGroup() as group:
            group.create_task(serve_until(stop, server, listener))
            group.create_task(worker.run_worker(stop))


def _print_json(base_url: str, people: list[SignIn], screens: list[Screen]) -> None:
    told = {
        "base_url": base_url,
        "sign_ins": [
            {
                "role": p.role, "name": p.name, "phone": p.phone, "password": p.password,
                "person_id": str(p.person_id), "community_id": str(p.community_id),
            }
            for p in people
        ],
        "stations": [
            {
                "id": str(s.id), "community_id": str(s.community_id), "name": s.name,
                "display_url": s.display_url, "counter_url": s.counter_url,
            }
            for s in screens
        ],
    }  # fmt: skip
    click.echo(json.dumps(told, ensure_ascii=False))


def _print_table(base_url: str, people: list[SignIn], screens: list[Screen]) -> None:
    console = Console()
    table = Table(title=f"时间银行演示：{base_url}")
    for heading in ("身份", "姓名", "社区", "手机号", "密码"):
        table.add_column(heading)
    for person in people:
        table.add_row(ROLE_NAMES[person.role], person.name, person.community, person.phone, person.password)
    console.print(table)
    for screen in screens:
        console.print(f"{screen.community} · {screen.name} 的签到屏：{screen.display_url}", soft_wrap=True)
        console.print(f"{screen.community} · {screen.name} 的柜台：{screen.counter_url}", soft_wrap=True)
    console.print("签到屏和柜台的链接请各用一个浏览器打开；柜台上由站长用手机号和密码上岗。")
    console.print("按 Ctrl-C 停止；下次再启动，数据还在。")
