"""Files of every accepted format, read into sheets of raw cells."""
