"""`timebank import`: a trial run or an import of a community's workbook."""

from pathlib import Path

import click
import msgspec

from timebank.commands.ground import ground, pool, progress, run_command, with_data, with_json
from timebank.commands.places import find_community, system_scope
from timebank.core.errors import TimebankError, reason_of
from timebank.imports.intake import Kind
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports.report import Report, RowReport
from timebank.imports.runs.runs import import_file
from timebank.imports.words.word_list_file import KIND_WORDS, OF_KIND, answers_in
from timebank.imports.words.words import UnknownWord, WordKind

OUTCOMES = {
    "tried": "试读完毕，什么都没有写入",
    "imported": "已导入",
    "unchanged": "没有新内容，什么都没有改动",
    "refused": "有问题的行没有改好之前，整份都没有导入（或去掉 --all-or-nothing，只导入好的行）",
    "incomplete": "只导入了一部分：有的行在录入时不能再导入",
}
UNKNOWN = (
    "下面这些词没有登记。写进一个文件，用 --map 带上（每行“词,它是哪一项”，新添的写“词,新添,分值”；"
    "后面还可以写种类和上限，如“词,新添,分值,事项,每人每月3次”）："
)
# More than an import takes, so that too large a file is refused by the import itself.
READ_BYTES_MAX = 64 * 1024 * 1024


class NoFile(TimebankError):
    code = "no_file"
    status = 404
    sentence = "读不了文件 {path}（{why}）。请检查路径。"


@click.command(
    "import", help="导入工作簿（xlsx、csv 等）：residents 花名册、hours 签到表、deeds 善行台账、goods 物品清单。"
)
@click.argument("kind", type=click.Choice(list(IMPORTERS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--community", required=True, help="社区的名称（或编号）。")
@click.option("--dry-run", is_flag=True, help="只试读：告诉哪些行有问题，什么都不写入。")
@click.option("--all-or-nothing", is_flag=True, help="有一行不行就整份不导入；默认跳过有问题的行，导入其余的。")
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    help="词语对照（csv 或 json）：每行“词,它是哪一项”，新添的写“词,新添,分值”。记住以后，下一份表格不用再写。",
)
@with_data
@with_json
def import_workbook(
    kind: str, file: Path, community: str, dry_run: bool, all_or_nothing: bool, map_file: Path | None,
    data: Path | None, as_json: bool,
) -> None:  # fmt: skip
    content, known = _read(file), next(name for name in IMPORTERS if name == kind)
    words = answers_in(known, _read(map_file)) if map_file else []

    async def work() -> Report:
        async with pool(chosen, operates=True):
            scope = system_scope(await find_community(community))
            return await import_file(
                scope, known, file.name, content, dry_run=dry_run, skip_bad=not all_or_nothing, told=told,
                words=words,
            )  # fmt: skip

    with ground(data) as chosen, progress("正在导入") as told:
        report = run_command(work())
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _print(known, report)
    if report.outcome in ("refused", "incomplete"):
        raise SystemExit(1)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(READ_BYTES_MAX)
    except OSError as error:
        raise NoFile(path=file, why=reason_of(error)) from error


def _print(kind: Kind, report: Report) -> None:
    for remark in report.errors:
        click.echo(_in_words(remark))
    for remark in report.warnings:
        click.echo(f"（提醒）{_in_words(remark)}")
    for note in report.notes:
        click.echo(note)
    for refusal in report.refusals:
        if refusal.count > 1:
            click.echo(f"{refusal.count} 行 {refusal.column}：{refusal.problem}")
    if report.unknown:
        click.echo(UNKNOWN)
    for word in report.unknown:
        click.echo(_asked(word, OF_KIND[kind]))
    counts = f"共 {report.rows} 行，可用 {report.accepted} 行，新 {report.created} 行，有问题 {len(report.errors)} 处"
    click.echo(f"{OUTCOMES[report.outcome]}：{counts}。")


def _asked(word: UnknownWord, usual: WordKind) -> str:
    """An unknown word with the lines that would decide it; the lines name the kind if it is not the usual one."""
    kind = "" if word.kind == usual else KIND_WORDS[word.kind]
    adds = f"{word.value},新添,{word.points or ''},{kind}".rstrip(",") + ("（要等第二个人同意）" if word.waits else "")
    others = [f"{word.value},{one.name},,{kind}".rstrip(",") for one in word.suggestions]
    return f"{word.value}（{word.count} 行）：" + " 或 ".join([*others, adds])


def _in_words(remark: RowReport) -> str:
    value = f"「{remark.value}」" if remark.value else ""
    others = f"等 {len(remark.rows)} 行" if remark.rows else ""
    return f"{remark.sheet} 第 {remark.row} 行{others} {remark.column}{value}：{remark.problem}"
