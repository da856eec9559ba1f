"""Residents, households, guardians and messages."""
