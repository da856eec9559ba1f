"""`timebank calendar`: renew the table of working days."""

from pathlib import Path

import click
import msgspec

from timebank.areas.workday_filling import FIRST_YEAR, Filled, fill_years, read_library, read_notice
from timebank.commands.ground import ground, pool, run_command, with_data, with_json
from timebank.core import clock


@click.command(
    "calendar",
    help="更新工作日：从 2024 年到明年的放假和调休。国务院的通知已经发布、这个版本还不知道时，用 --notice 登记。",
)
@click.option(
    "--notice",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="通知的内容：csv，每行一天，“2027-02-06,班,春节”或“2027-02-08,休,春节”，一年的都写上。",
)
@with_data
@with_json
def calendar(notice: Path | None, data: Path | None, as_json: bool) -> None:
    async def work() -> list[Filled]:
        async with pool(chosen, operates=True):
            if notice is not None:
                return await fill_years(read_notice(notice), "notice")
            return await fill_years(await read_library(FIRST_YEAR, clock.local_day().year + 1), "library")

    with ground(data) as chosen:
        filled = run_command(work())
    if as_json:
        click.echo(msgspec.json.encode({"years": filled}))
        return
    for each in filled:
        changed = f"改了 {each.changed} 天" if each.changed else "没有改动"
        click.echo(f"{each.year} 年：{STATE[each.source, each.estimated]}，{changed}。")


STATE = {
    ("library", False): "已有国务院的通知",
    ("library", True): "推算的，国务院的通知还没有",
    ("notice", False): "照登记的通知",
}
