"""`timebank confirm`: the operator decides as the second person where a community has nobody else who may."""

import json
from pathlib import Path
from uuid import UUID

import click

from timebank.agreements.schemas import AgreementOut, Decision
from timebank.commands.ground import ground, pool, run_command, with_data, with_json
from timebank.commands.places import Place, communities, find_community, system_scope
from timebank.core.errors import NotFound
from timebank.overview.agreements import acknowledge, agreement, agreements, decide_change


@click.command(
    "confirm",
    help="待另一人确认的改动：不写编号时列出；写编号时同意这一项。只有没有上级、也没有审计员的社区才由这里决定。",
)
@click.argument("change", required=False, type=click.UUID)
@click.option("--community", help="只看这个社区；默认全部。")
@click.option("--seen", is_flag=True, help="一个人定下、请另一人看过的，全部记为看过。")
@click.option("--refuse", metavar="REASON", help="不同意，并写明原因。")
@with_data
@with_json
def confirm(
    change: UUID | None, community: str | None, seen: bool, refuse: str | None, data: Path | None, as_json: bool
) -> None:  # fmt: skip
    decision: Decision = "refuse" if refuse else "agree"

    async def work() -> list[tuple[Place, AgreementOut]]:
        async with pool(chosen, operates=True):
            places = [await find_community(community)] if community else await communities()
            if seen:
                for place in places:
                    await acknowledge(system_scope(place))
            if change is None:
                return [
                    (place, each) for place in places
                    for each in (await agreements(system_scope(place), limit=200)).items
                ]  # fmt: skip
            for place in places:
                try:
                    await agreement(system_scope(place), change)
                except NotFound:
                    continue
                return [(place, await decide_change(system_scope(place), change, decision, refuse or ""))]
            raise NotFound

    with ground(data) as chosen:
        found = run_command(work())
    if as_json:
        shown = [
            {"id": str(e.id), "community": place.path, "text": e.text, "status": e.status, "who": e.who}
            for place, e in found
        ]
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for place, each in found:
        click.echo(
            f"{each.id}  {place.path}：{each.text}（{SAID[each.status]}）"
            + (f" 可以决定的人：{'、'.join(each.who)}" if each.who else "")
        )
    if not found:
        click.echo("没有等另一人确认的改动。")


SAID = {"waiting": "等待决定", "agreed": "已同意", "refused": "没有同意", "withdrawn": "已撤回"}
