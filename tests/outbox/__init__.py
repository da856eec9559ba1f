"""Tests of the outbox and of what is delivered through it."""
