"""Photos: drawn anew without metadata, attached to a noun, painted over, published by a person, and purged."""
