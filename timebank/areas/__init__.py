"""Regions above a community, and the areas inside it."""
