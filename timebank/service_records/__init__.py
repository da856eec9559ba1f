"""Service records: from a visit to its credit."""
