"""Wishes at a station: the gift is received from who brings it, and collected with a code by whom it is for."""
