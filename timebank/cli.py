"""The `timebank` command. A refusal prints one sentence that says what to do, and exits with code 1."""

import json
import signal
import sys
from importlib import import_module
from typing import NoReturn

import asyncpg
import click

from timebank import __version__
from timebank.core.errors import TimebankError, reason_of
from timebank.operations.embedded_programs import EmbeddedError

INTERRUPTED = 130
# Each command is imported only when it is called: most need neither the pages nor the printing library.
COMMANDS = {
    "demo": "timebank.commands.demo:demo",
    "serve": "timebank.commands.serving:serve",
    "worker": "timebank.commands.working:worker",
    "migrate": "timebank.commands.upkeep:migrate",
    "import": "timebank.commands.importing:import_workbook",
    "check": "timebank.commands.upkeep:check",
    "distribute": "timebank.commands.distributing:distribute",
    "create-admin": "timebank.commands.places:create_admin",
    "confirm": "timebank.commands.agreeing:confirm",
    "station-poster": "timebank.commands.printing:station_poster",
    "calendar": "timebank.commands.calendar:calendar",
    "cards": "timebank.commands.printing:cards",
}


class Commands(click.Group):
    """Loads commands on demand and lists them in the order of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(
    cls=Commands,
    help="时间银行与道德银行：服务时长记成积分，积分换物品和孩子的课时，账目始终平衡。",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def timebank() -> None:
    pass


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line. SIGTERM ends a command as Ctrl-C does: an open transaction is rolled back or finished."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = timebank.main(given, prog_name="timebank", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _refuse("usage", _usage(error), given)
    except TimebankError as error:
        _refuse(error.code, error.text() + _why(error), given)
    except EmbeddedError as error:
        _refuse("embedded_database", reason_of(error), given)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _refuse("database", f"数据库没有完成这一步（{reason_of(error)}）。请检查数据库后再试一次。", given)
    except OSError as error:
        where = f"{error.filename} " if error.filename else ""
        _refuse("system", f"系统没有完成这一步（{where}{reason_of(error)}）。请检查后再试一次。", given)
    sys.exit(status if isinstance(status, int) else 0)


def _why(error: TimebankError) -> str:
    """The message of the database or operating system error behind a refusal, in brackets, for the operator."""
    cause = error.__cause__
    said = reason_of(cause) if isinstance(cause, OSError | asyncpg.PostgresError) else ""
    return f"（{said}）" if said and said not in error.text() else ""


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if isinstance(context, click.Context) else "timebank"
    return f"命令的写法不对：{error.format_message()} 写法见 {command} --help。"


def _refuse(code: str, sentence: str, given: list[str]) -> NoReturn:
    if "--json" in given:
        click.echo(json.dumps({"error": {"code": code, "detail": sentence}}, ensure_ascii=False))
    else:
        click.echo(sentence, err=True)
    sys.exit(1)
