"""The outbox: what a verb leaves, in its own transaction, for the worker to deliver afterwards."""
