"""The HTTP API of matters."""
