"""A statement by month, with what each sort of its entries came to."""
