"""The shop: goods, stock, and redemptions, from the reservation to its collection, cancellation or return."""
