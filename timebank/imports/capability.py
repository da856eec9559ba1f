"""The manifest of imports: importing workbooks and undoing imports."""

from timebank.core.capability import Capability, Job, MenuEntry, Sweep
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
    jobs=(Job("forget_drafts", 600, "timebank.imports.runs.drafts.purge_drafts"),),
    sweeps=(Sweep("carry_on_imports", 2, "timebank.imports.runs.worker_job.continue_stopped_imports"),),
    audit={
        "forget_word": _("忘掉了一个表格里的词"),
        "import": _("导入了表格"),
        "map_words": _("定了表格里的词是什么"),
        "stop_import": _("导入没有做完，停下了"),
        "undo_import": _("撤回了导入"),
    },
)
