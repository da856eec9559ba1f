"""Old books of matters."""
