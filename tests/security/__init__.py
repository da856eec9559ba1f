"""Whoever has stolen the service's database address."""
