"""Stations, where people check in and collect goods, and their codes."""
