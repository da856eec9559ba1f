"""Overviews, decisions and verbs that involve several capabilities."""
