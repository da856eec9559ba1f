"""Reading matters, as far as each caller may see them."""
