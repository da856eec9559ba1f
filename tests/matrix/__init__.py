"""Who may do what: every operation as every role, and the duties of docs/duties.md."""
