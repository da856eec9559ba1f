"""Registering people, one by one or a whole roster, and undoing it."""
