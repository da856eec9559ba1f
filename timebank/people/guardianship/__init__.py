"""Guardians of children: named, proposed, with or without consent."""
