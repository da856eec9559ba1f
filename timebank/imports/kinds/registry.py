"""The importer of each kind of workbook: how a file is examined, and how its rows are written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Kind, Ready
from timebank.imports.kinds.deeds import write as deeds_in
from timebank.imports.kinds.goods import write as goods_in
from timebank.imports.kinds.hours import write as hours_in
from timebank.imports.kinds.hours.judging import HoursPlanned
from timebank.imports.kinds.roster import finish as residents_finished
from timebank.imports.kinds.roster import write as residents_in
from timebank.imports.steps import Steps


@dataclass(frozen=True, slots=True)
class Importer:
    """`examine` only reads: it locks no row and writes nothing."""

    examine: Callable[[Intake, Workbook], Awaitable[Ready[Any, Any]]]
    steps: Steps


IMPORTERS: Mapping[Kind, Importer] = {
    "residents": Importer(
        residents_in.examine,
        Steps(residents_finished.ResidentPlanned, 100, residents_in.register_batch, residents_finished.finish),
    ),
    "hours": Importer(hours_in.examine, Steps(HoursPlanned, 250, hours_in.take, hours_in.finish)),
    "deeds": Importer(deeds_in.examine, Steps(deeds_in.DeedPlanned, 50, deeds_in.take, deeds_in.finish)),
    "goods": Importer(goods_in.examine, Steps(goods_in.GoodPlanned, 10, goods_in.take, goods_in.finish)),
}
