"""Deeds (the moral bank): filing, review, the public board, objections, credit."""
