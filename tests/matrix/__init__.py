"""Authorisation tests: every operation as every role, and the separation of duties in docs/duties.md."""
