"""The manifest of imports: importing workbooks and undoing imports."""

from timebank.core.capability import Capability, Job, MenuEntry, Sweep
from timebank.core.locale import _

CAPABILITY = Capability(
    name="imports",
    tables="timebank.imports.tables",
    api=("timebank.imports.api.Imports",),
    pages=(
        "admin.imports.ImportPages",
        "admin.import_words.ImportWordPages",
        "admin.import_runs.ImportRunPages",
    ),
    menu=(MenuEntry(110, "/admin/imports", "upload", _("导入")),),
    jobs=(Job("forget_drafts", 600, "timebank.imports.runs.drafts.forget_old"),),
    sweeps=(Sweep("carry_on_imports", 2, "timebank.imports.runs.worker_job.carry_on"),),
    audit={
        "forget_word": _("忘掉了一个表格里的词"),
        "import": _("导入了表格"),
        "map_words": _("定了表格里的词是什么"),
        "stop_import": _("导入没有做完，停下了"),
        "undo_import": _("撤回了导入"),
    },
)
