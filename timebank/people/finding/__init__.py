"""Finding people by what is typed, and writing down those that were found."""
