"""The pages of matters for residents, at the counter and on the public board."""
