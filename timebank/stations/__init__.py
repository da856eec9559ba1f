"""Stations, where people check in and collect goods, and their codes. Stations have no kinds."""
