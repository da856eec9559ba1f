"""What waits for a review, and who may decide it."""
