"""What every capability stands on: no capability, no page, no web framework."""
