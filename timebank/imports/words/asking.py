"""Group the unknown words of a workbook for somebody to decide, and define the errors of an answer."""

from collections.abc import Sequence

from timebank.core.errors import TimebankError
from timebank.imports.sheets.parsed import UnknownUse, without_numbers
from timebank.imports.words.words import word_key

ROWS_TOLD_MAX = 20
NAMES_TOLD_MAX = 12


class WordUnclear(TimebankError):
    code = "word_unclear"
    status = 422
    sentence = "“{value}”要么写明就是哪一项，要么新添，两样选一样；新添的要写明分值。"


class WordIsName(TimebankError):
    code = "word_is_name"
    status = 422
    sentence = "“{value}”本身就是登记的名称，不能再当作别的，也不能忘掉。不再用的，请到登记的地方停用或改名。"


class WordMeaningUnknown(TimebankError):
    code = "word_meaning_unknown"
    status = 422
    sentence = "“{value}”对应的“{means}”没有登记，或已停用。请选一个在用的。"


def first_of(words: Sequence[str]) -> str:
    """The first words of a list, joined for a note."""
    return "、".join(words[:NAMES_TOLD_MAX]) + ("……" if len(words) > NAMES_TOLD_MAX else "")


def group_by_word(uses: Sequence[UnknownUse]) -> list[list[UnknownUse]]:
    """Group the uses by word, the most frequent word first.

    Words that look like a phone or identity number are left out, so that no page shows them.
    """
    found: dict[str, list[UnknownUse]] = {}
    for use in uses:
        if word_key(use.value) and without_numbers(use.value) == use.value:
            found.setdefault(word_key(use.value), []).append(use)
    return sorted(found.values(), key=len, reverse=True)
