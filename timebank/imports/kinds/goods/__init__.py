"""The list of goods."""
