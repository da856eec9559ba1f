"""The manifest of matters."""

from timebank.core.capability import Capability, PersonColumn

CAPABILITY = Capability(
    name="matters",
    switch=True,
    tables="timebank.matters.tables",
    people=(
        PersonColumn("matter", "reporter_id", "moves"),
        PersonColumn("matter", "for_person_id", "moves"),
        PersonColumn("matter", "assignee_id", "moves"),
        PersonColumn("matter_helper", "person_id", "moves"),
        PersonColumn("matter_follow", "person_id", "moves"),
        PersonColumn("matter_step", "person_id", "stays"),
    ),
    refers_to={"area": "SELECT area_id FROM matter WHERE community_id = $1"},
    hooks={"orders_in_month": "timebank.matters.helped.orders_in_month"},
)
