"""The ledger: accounts, transfers, statements, and the words of a statement's lines."""
