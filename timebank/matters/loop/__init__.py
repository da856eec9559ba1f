"""The loop from dispatch to rating: a pure state machine, and one thin verb for each of its moves."""
