"""Shared by tests of several packages: the town and its people, the running service, and devices in real browsers."""
