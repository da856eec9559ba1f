"""The tables of a sheet: where they stand, and what their columns and rows mean."""
