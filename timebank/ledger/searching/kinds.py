"""The kinds of entries to choose from, in words."""

from timebank.ledger.searching.found import entry_kinds
from timebank.ledger.statement_words import entry_kind_in_words


def kind_options(language: str) -> list[tuple[str, str]]:
    """Each kind with its word."""
    return [(kind, entry_kind_in_words(kind, "", language)) for kind in entry_kinds()]
