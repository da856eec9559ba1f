"""Presence: from a scan, also a repeated one, to a visit."""
