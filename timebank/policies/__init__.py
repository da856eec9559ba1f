"""Policies: the settings of a community, such as the daily cap on credited hours."""
