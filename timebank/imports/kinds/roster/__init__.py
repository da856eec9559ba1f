"""The roster: one row per resident."""
