"""What a keeper asks at the counter and a second member of staff agrees to."""
