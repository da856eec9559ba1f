"""Units of a county, what they are to a community, and who reported in from them."""
