"""Role grants: who holds which role over which place."""
