"""Objections to deeds and to service records on the public board."""
