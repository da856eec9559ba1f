"""The roster: one row per resident. The headings of its columns: `sheets.known_headings`."""
