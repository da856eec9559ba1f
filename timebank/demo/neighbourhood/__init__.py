"""The neighbourhood service of the demo: units, teams and skills, and matters."""
