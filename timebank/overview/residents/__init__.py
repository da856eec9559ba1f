"""What several capabilities know of one resident, as the panel shows it."""
