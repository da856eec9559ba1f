"""The figures of a unit across communities."""
