"""Patterns: shifts that come again on days of the week, and the people who stand for them."""
