"""Imports under way: trial, run in batches, undo."""
