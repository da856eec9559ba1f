"""The three figures of matters: how many were done on the same day, by the second and by the third day."""
