"""`timebank distribute` and `timebank check distribution`: one database on several servers, by community."""

from pathlib import Path

import click
import msgspec

from timebank.commands.ground import ground, progress, run_command, with_data, with_json
from timebank.core.database import connections
from timebank.core.settings import Settings
from timebank.operations import distributing, distribution, installation
from timebank.operations.distribution import Fault, Place


@click.command(
    "distribute",
    help="把升级好的数据库按社区分到 Citus 的几台服务器上；可以重复运行，从停下的地方继续。只有一台服务器时不用。",
)
@with_data
@with_json
def distribute(data: Path | None, as_json: bool) -> None:
    with ground(data) as chosen, progress("正在分布") as told:
        chosen.require_no_pooler("分布")
        assert chosen.operator_url is not None
        done = run_command(_distribute(chosen.operator_url, told))
    if as_json:
        click.echo(msgspec.json.encode(done))
    elif done.tables or done.foreign_keys:
        click.echo(
            f"已分布：新放好 {len(done.tables)} 张表，接好 {done.foreign_keys} 个外键。请重新启动服务和后台任务。"
        )
    else:
        click.echo("已经分布好，没有要做的。")


async def _distribute(url: str, told: distributing.Told) -> distributing.LaidOut:
    await _require_migrated(url)
    return await distributing.lay_out(url, told)


async def _require_migrated(url: str) -> None:
    async with connections.connect_once(url) as connection:
        await installation.require(connection)


class Distributable(msgspec.Struct, frozen=True):
    """What `check distribution` found. `not_laid_out` is empty where there is no Citus."""

    ok: bool
    faults: list[Fault]
    not_laid_out: list[str]


def check_distribution(chosen: Settings, *, as_json: bool) -> bool:
    """Print what could not be distributed, and on a coordinator what is not laid out yet; True if nothing of it."""
    found = run_command(_look(chosen))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return found.ok
    for fault in found.faults:
        click.echo(f"  {'✗' if fault.blocks else '！'} {fault.name}：{fault.detail} [{fault.code}]")
    if found.not_laid_out:
        click.echo(f"  还没有放好的表：{'、'.join(found.not_laid_out)}。请运行 timebank distribute。")
    if blocking := sum(fault.blocks for fault in found.faults):
        click.echo(f"不能分布：{blocking} 处要先改。")
    else:
        click.echo("可以按社区分到几台服务器上。" + ("标着！的函数在那里还不能用。" if found.faults else ""))
    return found.ok


async def _look(chosen: Settings) -> Distributable:
    assert chosen.database_url is not None
    async with connections.connect_once(chosen.database_url) as connection:
        await installation.require(connection)
        faults = await distribution.faults(connection)
        left: list[Place] = []
        if await distributing.has_citus(connection):
            left = await distributing.not_laid_out(connection, await distribution.tables_to_lay_out(connection))
    ok = not left and not any(fault.blocks for fault in faults)
    return Distributable(ok, faults, [place.name for place in left])
