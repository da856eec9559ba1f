"""What is looked at a second time, and the signs that somebody reports for the points."""
