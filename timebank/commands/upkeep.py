"""`timebank migrate` and `timebank check`: the database as this version needs it, and books that balance."""

import json
from pathlib import Path

import click

from timebank import migrate as migrations
from timebank.commands.ground import ground, run, with_data, with_json


@click.command("migrate", help="把数据库升级到这个版本；可以重复运行，同时运行时后来的会等。")
@with_data
@with_json
def migrate(data: Path | None, as_json: bool) -> None:
    with ground(data) as chosen:
        assert chosen.database_url is not None
        applied = run(migrations.migrate(chosen.database_url))
    if as_json:
        click.echo(json.dumps({"applied": applied}))
    elif applied:
        click.echo(f"已升级：{'、'.join(applied)}")
    else:
        click.echo("已经是最新，没有要做的。")
