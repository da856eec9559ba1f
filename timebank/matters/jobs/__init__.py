"""What the worker does for matters: urging, closing in silence, forgetting."""
