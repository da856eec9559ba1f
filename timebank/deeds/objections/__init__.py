"""What an objection to a deed does."""
