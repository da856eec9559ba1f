"""The manifest of the ledger: accounts, transfers, statements and the ledger check."""

from timebank.core.capability import Capability, Finder, Job, MenuEntry, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="ledger",
    tables="timebank.ledger.tables",
    api=(
        "timebank.ledger.api.own_balances",
        "timebank.ledger.api.own_statement",
        "timebank.ledger.api.give",
        "timebank.ledger.api.check",
    ),
    pages=(
        "timebank.ledger.pages.statement.StatementPages",
        "admin.ledger.PanelLedgerPages",
        "admin.entries.PanelEntryPages",
    ),
    menu=(MenuEntry(place=120, href="/admin/ledger", icon="shield", word=_("账目")),),
    jobs=(Job("check_books", 60, "timebank.ledger.checking.stored_result.run_ledger_check_job"),),
    invariants="timebank.ledger.checking.invariants.books.LEDGER",
    sources=(Source(noun="donation", entries=("donation",)),),
    hooks={
        "close_accounts": "timebank.ledger.posting.close_accounts",
        "has_credited": "timebank.ledger.totals.has_credited",
    },
    statement={
        "hold": _("预留"),
        "settle": _("领取"),
        "void": _("预留退回"),
        "donation": _("捐给公共积分池"),
        "adjustment": _("调整"),
        "reversal": _("冲正"),
        "repayment": _("补还欠账"),
    },
    sentences={
        "entry.donation": _("捐给社区公共积分池"),
    },
    parts={"came_back": "timebank.ledger.grace.came_back_in_words"},
    found_by=(Finder(place=50, word=_("账目"), verb="timebank.ledger.entries.entries_found"),),
    audit={
        "ask_for_check": _("要求了核对账目"),
    },
    nouns={
        "account": _("账户"),
        "book_check": _("账目"),
    },
)
