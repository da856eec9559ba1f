"""Sign-in sheets: honour hours."""
