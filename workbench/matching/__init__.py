"""What event patterns are made of."""
