"""Class minutes: bought, moved, refunded, expired."""
