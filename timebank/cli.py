"""The `timebank` command: every refusal is one sentence that says what to do, and exit code 1."""

import json
import signal
import sys

import asyncpg
import click

from timebank import __version__
from timebank.commands.demo import demo
from timebank.commands.importing import import_workbook
from timebank.commands.places import create_admin
from timebank.commands.printing import cards, station_poster
from timebank.commands.serving import serve, worker_command
from timebank.commands.upkeep import check, migrate
from timebank.embedded import EmbeddedError
from timebank.errors import TimebankError

INTERRUPTED = 130


@click.group(
    help="时间银行与道德银行：服务时长记成积分，积分换物品和孩子的课时，账目始终平衡。",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def timebank() -> None:
    pass


for command in (demo, serve, worker_command, migrate, import_workbook, check, create_admin, station_poster, cards):
    timebank.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A stop signal ends a command as Ctrl-C does: what was begun is rolled back or finished."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = timebank.main(given, prog_name="timebank", standalone_mode=False)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _refuse("usage", _usage(error), given)
    except TimebankError as error:
        _refuse(error.code, error.text(), given)
    except EmbeddedError as error:
        _refuse("embedded_database", str(error), given)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _refuse("database", f"数据库没有完成这一步（{error}）。请检查数据库后再试一次。", given)
    except OSError as error:
        _refuse(
            "system", f"系统没有完成这一步（{error.strerror or error}）：{error.filename or '请检查后再试'}。", given
        )
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if isinstance(context, click.Context) else "timebank"
    return f"命令的写法不对：{error.format_message()} 写法见 {command} --help。"


def _refuse(code: str, sentence: str, given: list[str]) -> None:
    if "--json" in given:
        click.echo(json.dumps({"error": {"code": code, "detail": sentence}}, ensure_ascii=False))
    else:
        click.echo(sentence, err=True)
    sys.exit(1)
