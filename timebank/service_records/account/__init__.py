"""Service as the account of a person: every visit and record with what it earned, or why it earned nothing."""
