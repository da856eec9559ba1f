"""What identifies a person: citizen identity numbers, other documents, phones, names, ages."""
