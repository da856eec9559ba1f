"""Agreements: changes that wait for a second person, and who may decide them."""
