"""How much of a matter its reader sees: pure functions over what the reader is to it."""

from typing import Literal

from timebank.core.scope import Scope
from timebank.matters.loop.deciding import Standing
from timebank.matters.reading.rows import MatterRow

View = Literal["staff", "own", "handler", "offered", "public"]
"""`staff`: who reads the community or works in its area. `own`: who spoke, whom it is for, or who typed it.
`handler`: who handles it. `offered`: who may take it. `public`: everybody in the community."""


def view_of(scope: Scope, row: MatterRow, caller: Standing) -> View | None:
    """How the caller sees the matter; None where it is not found for them."""
    if scope.reads_all or caller.duty:
        return "staff"
    if caller.reporter or caller.typed:
        return "own"
    if caller.helper or (caller.handler and row.status != "received"):
        return "handler"
    if caller.offered:
        return "handler" if row.open_to != "all" and not row.at_home else "offered"
    return "public" if is_for_everybody(row) and scope.person_id is not None else None


def is_for_everybody(row: MatterRow) -> bool:
    """Whether residents see that there is such a matter: never an order or a wish before it is published."""
    if not row.is_public or row.staff_only or row.status in ("refused", "withdrawn"):
        return False
    return row.kind not in ("order", "wish") or row.published_at is not None


def sees_reporter(scope: Scope, row: MatterRow, caller: Standing, *, opened: bool) -> bool:
    """Whether the caller reads who spoke. A hidden name is shown to administrators alone, on a page that is logged."""
    if caller.reporter or caller.typed:
        return True
    if row.hides_reporter:
        return scope.administers and opened
    if scope.reads_all or caller.duty:
        return True
    if row.kind == "wish":
        return False
    helps = caller.helper or (caller.handler and row.status in ("accepted", "done", "closed"))
    return helps and (row.kind == "order" or row.may_be_contacted)


def is_logged(scope: Scope, row: MatterRow, caller: Standing) -> bool:
    """Whether opening it is noted in the audit: a hidden name, or a look from above the community."""
    if caller.reporter or scope.system or row.reporter_id is None:
        return False
    above = scope.person_id is None and scope.reads_all
    return above or (row.hides_reporter and scope.administers)


def sees_text(view: View, row: MatterRow, caller: Standing) -> bool:
    """Whether the reader sees place and words: at somebody's home only who has taken it."""
    if view in ("staff", "own"):
        return True
    if view != "handler":
        return False
    return not row.at_home or caller.helper or row.status in ("accepted", "done", "closed")


def sees_place(view: View, row: MatterRow) -> bool:
    """Whether who sees the words also sees where: who gives something for a wish never learns whose door it is."""
    return row.kind != "wish" or view in ("staff", "own")
