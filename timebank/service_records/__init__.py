"""Service records: from a visit to its review, credit and reversal. Objections to them: `objections`."""
