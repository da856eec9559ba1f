"""Units, reporting in, and what the contact of a unit sees."""
