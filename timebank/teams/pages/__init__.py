"""Pages of this capability for residents and counters."""
