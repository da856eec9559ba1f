"""The commands of `timebank`, one module for each group."""
