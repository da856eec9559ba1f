"""Finding ledger entries by person, kind, amount and day."""
