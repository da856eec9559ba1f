"""The importer of each kind of workbook: how a file is examined, and how its rows are written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Kind, Ready
from timebank.imports.kinds.deeds import write as write_deeds
from timebank.imports.kinds.goods import write as write_goods
from timebank.imports.kinds.hours import write as write_hours
from timebank.imports.kinds.hours.judging import HoursPlanned
from timebank.imports.kinds.matters import write as write_matters
from timebank.imports.kinds.members import write as write_members
from timebank.imports.kinds.roster import finish as finish_roster
from timebank.imports.kinds.roster import write as write_roster
from timebank.imports.steps import Steps


@dataclass(frozen=True, slots=True)
class Importer:
    """`examine` only reads: it locks no row and writes nothing.

    `capability` is one that the community must have switched on; empty for none.
    """

    examine: Callable[[Intake, Workbook], Awaitable[Ready[Any, Any]]]
    steps: Steps
    capability: str = ""


IMPORTERS: Mapping[Kind, Importer] = {
    "residents": Importer(
        write_roster.examine,
        Steps(finish_roster.ResidentPlanned, 100, write_roster.register_batch, finish_roster.finish),
    ),
    "hours": Importer(write_hours.examine, Steps(HoursPlanned, 250, write_hours.take, write_hours.finish)),
    "deeds": Importer(write_deeds.examine, Steps(write_deeds.DeedPlanned, 50, write_deeds.take, write_deeds.finish)),
    "goods": Importer(write_goods.examine, Steps(write_goods.GoodPlanned, 10, write_goods.take, write_goods.finish)),
    "members": Importer(
        write_members.examine,
        Steps(write_members.MemberPlanned, 100, write_members.take, write_members.finish),
        "units",
    ),
    "matters": Importer(
        write_matters.examine,
        Steps(write_matters.MatterPlanned, 100, write_matters.take, write_matters.finish),
        "matters",
    ),
}
