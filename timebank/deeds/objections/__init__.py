"""Objections to deeds on the public board."""
