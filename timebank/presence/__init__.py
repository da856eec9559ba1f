"""Presence: from a scan to a visit."""
