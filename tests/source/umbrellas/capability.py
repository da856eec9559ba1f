"""Umbrellas lent against a few points: a capability of the tests, of which nothing outside this folder knows."""

from timebank.core.capability import Capability, Job, MenuEntry, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="umbrellas",
    package="tests.source.umbrellas",
    tables="tests.source.umbrellas.tables",
    api=("tests.source.umbrellas.pages.Umbrellas",),
    pages=("tests.source.umbrellas.pages.UmbrellaPages",),
    menu=(MenuEntry(place=75, href="/admin/umbrellas", icon="gift", word=_("雨伞")),),
    jobs=(Job("take_umbrellas_back", 3600, "tests.source.umbrellas.lending.take_back_overdue"),),
    invariants="tests.source.umbrellas.invariants.UMBRELLAS",
    sources=(
        Source(
            noun="umbrella_loan",
            entries=("hold", "settle", "void"),
            holds="SELECT id, entry_id, returned_at IS NULL AS is_open FROM umbrella_loan WHERE community_id = $1",
        ),
    ),
    statement={"umbrella_loan:hold": _("借伞押分"), "umbrella_loan:void": _("还伞退分")},
    audit={"lend_umbrella": _("借出了雨伞")},
)
