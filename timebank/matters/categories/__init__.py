"""Categories: what a matter may be about, how long it may take, and who handles it."""
