"""The inbox: what waits for a decision, of every kind that a capability declares, and many decided together."""
