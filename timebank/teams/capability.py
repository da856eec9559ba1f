"""The manifest of teams."""

from timebank.core.capability import Capability, PersonColumn

CAPABILITY = Capability(
    name="teams",
    switch=True,
    tables="timebank.teams.tables",
    people=(
        PersonColumn("team_member", "person_id", "moves"),
        PersonColumn("person_skill", "person_id", "moves"),
        PersonColumn("free_time", "person_id", "stays"),
    ),
    in_use={"area": "SELECT area_id FROM team WHERE community_id = $1"},
)
