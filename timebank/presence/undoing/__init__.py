"""What was done at a counter by mistake and undone within a minute, by who did it."""
