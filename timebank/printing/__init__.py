"""PDF to print: sheets of cards, and the poster of a station."""
