"""The check that the books balance."""
