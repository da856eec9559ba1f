"""The lists of goods and redemptions, saved as workbooks."""
