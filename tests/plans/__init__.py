"""What a statement reads on a community that has grown."""
