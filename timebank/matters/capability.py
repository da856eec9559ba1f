"""The manifest of matters."""

from timebank.core.capability import Capability, Job, MenuEntry, PersonColumn
from timebank.core.locale import _

CAPABILITY = Capability(
    name="matters",
    switch=True,
    tables="timebank.matters.tables",
    pages=("admin.matter_figures.PanelMatterFigurePages",),
    menu=(MenuEntry(place=36, href="/admin/figures/matters", icon="chart", word=_("办结情况")),),
    jobs=(
        Job("count_matters", 60, "timebank.matters.figures.counting.count_matters"),
        Job("draw_spot_checks", 3600, "timebank.matters.checks.drawing.draw_spot_checks"),
    ),
    people=(
        PersonColumn("matter", "reporter_id", "moves"),
        PersonColumn("matter", "for_person_id", "moves"),
        PersonColumn("matter", "assignee_id", "moves"),
        PersonColumn("matter_helper", "person_id", "moves"),
        PersonColumn("matter_follow", "person_id", "moves"),
        PersonColumn("matter_step", "person_id", "stays"),
    ),
    refers_to={"area": "SELECT area_id FROM matter WHERE community_id = $1"},
)
