"""The figures of matters as they are read."""

from typing import Literal

import msgspec

from timebank.core.errors import TimebankError

By = Literal["grid", "community", "street", "unit", "category"]


class FigurePeriod(TimebankError):
    code = "figure_period"
    status = 422
    sentence = "请选择一段时间：开始不晚于结束，最多一年。"


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What the community wants to reach, in percent."""

    done0: int
    done1: int
    done2: int


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """The matters of one grid, community, street, unit or category.

    `mature` are those that the three figures are of; `done0`, `done1` and `done2` say how many of these were done on
    the day of receipt, by the end of the next and by the end of the third local day. `open` and `open_late` are of now.
    """

    subject: str
    name: str
    received: int = 0
    mature: int = 0
    done0: int = 0
    done1: int = 0
    done2: int = 0
    open: int = 0
    open_late: int = 0
    reopened: int = 0
    returned: int = 0
    asked: int = 0
    answered: int = 0
    solved: int = 0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    targets: Targets
    rows: list[FigureRow]
    total: FigureRow


class FigureShown(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: `done` of so many, in whole percent rounded down, and whether that is below the target."""

    done: int
    of: int
    target: int
    percent: int | None

    @classmethod
    def of_row(cls, done: int, of: int, target: int) -> "FigureShown":
        return cls(done=done, of=of, target=target, percent=done * 100 // of if of else None)

    @property
    def missed(self) -> bool:
        return self.percent is not None and self.percent < self.target
