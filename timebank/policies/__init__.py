"""Policies: what may differ from one community to the next."""
