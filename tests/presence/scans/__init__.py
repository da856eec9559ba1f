"""Tables of cases for the pure functions that decide about a scan."""
