"""What the database refuses to somebody who has stolen the service's database address, and other security tests."""
