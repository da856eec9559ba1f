"""One cell in, one value or a problem out."""
