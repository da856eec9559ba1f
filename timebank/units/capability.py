"""The manifest of units."""

from timebank.core.capability import Capability, PersonColumn

CAPABILITY = Capability(
    name="units",
    switch=True,
    tables="timebank.units.tables",
    people=(PersonColumn("affiliation", "person_id", "moves"),),
)
