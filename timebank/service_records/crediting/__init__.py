"""Crediting service records, at once or when they fall due, and reversing credits."""
