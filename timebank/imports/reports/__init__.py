"""What is reported of an import, row by row."""
