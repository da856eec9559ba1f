"""Numbering the parameters of a part of a statement anew, so that parts can be put together."""

import re
from collections.abc import Sequence

_MARK = re.compile(r"\$(\d+)")


def renumbered(sql: str, numbers: Sequence[int]) -> str:
    """The SQL with $1 replaced by the first of `numbers`, $2 by the second, and so on."""
    return _MARK.sub(lambda mark: f"${numbers[int(mark[1]) - 1]}", sql)
