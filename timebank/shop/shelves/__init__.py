"""What stands on the shelves: its stock at each station, and what it is worth."""
