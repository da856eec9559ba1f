"""A scan in three steps: its facts are read, a pure function decides, and the decision is carried out."""
