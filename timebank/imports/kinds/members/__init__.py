"""Lists of who has reported in from which unit."""
