"""Statement budgets of the verbs that people wait for, counted on the wire."""
