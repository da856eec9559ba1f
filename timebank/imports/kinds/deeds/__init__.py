"""The moral bank's book: deeds."""
