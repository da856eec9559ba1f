"""The manifest of imports: importing workbooks and undoing imports."""

from timebank.core.capability import Batches, Capability, Job, MenuEntry, MessageKind, Sweep
from timebank.core.locale import _

CAPABILITY = Capability(
    name="imports",
    tables="timebank.imports.tables",
    api=("timebank.imports.api.Imports",),
    pages=(
        "admin.imports.PanelImportPages",
        "admin.import_words.PanelImportWordPages",
        "admin.import_runs.PanelImportRunPages",
    ),
    menu=(MenuEntry(place=110, href="/admin/imports", icon="upload", word=_("导入")),),
    batches=Batches(
        rows="SELECT noun_id, run_id AS batch_id FROM import_row WHERE community_id = $1",
        names="timebank.imports.reports.history.file_names",
    ),
    jobs=(Job("forget_drafts", 600, "timebank.imports.runs.drafts.purge_drafts"),),
    sweeps=(Sweep("carry_on_imports", 2, "timebank.imports.runs.worker_job.continue_stopped_imports"),),
    sentences={
        "import_ended": _("您导入的“{file}”已经完成，结果在“导入”页。"),
        "undo_ended": _("“{file}”的导入已经撤销，结果在“导入”页。"),
        "import_stopped": _(
            "“{file}”没有处理完就停下了，已完成的部分保留。请到“导入”页看原因；再导入一次同一份表格，就会接着做。"
        ),
        "import_stopped.undo": _(
            "“{file}”没有处理完就停下了，已完成的部分保留。请到“导入”页看原因；再撤销一次，就会接着做。"
        ),
        "note.deed_from_book": _("{item}（台账补录：{file}）"),
        "note.hours": _("纸质签到表补录：{file}"),
        "note.hours_at": _("纸质签到表补录：{file}；地点：{place}"),
        "note.hours_without_times": _("纸质签到表补录：{file}；表里只有日期和时长，起止时刻不详"),
        "note.hours_without_times_at": _("纸质签到表补录：{file}；表里只有日期和时长，起止时刻不详；地点：{place}"),
    },
    messages={
        "import_ended": MessageKind(leads="/admin/imports/{id}"),
        "undo_ended": MessageKind(leads="/admin/imports/{id}"),
        "import_stopped": MessageKind(leads="/admin/imports/{id}", waits=True),
    },
    audit={
        "forget_word": _("忘掉了一个表格里的词"),
        "import": _("导入了表格"),
        "map_words": _("定了表格里的词是什么"),
        "stop_import": _("导入没有做完，停下了"),
        "undo_import": _("撤回了导入"),
    },
    nouns={
        "import_run": _("导入"),
        "import_word": _("表格里的词"),
    },
    panel={"import_run": "/admin/imports/"},
)
