"""Pages of this capability: for residents, counters and the board, for those on duty, and for units."""
