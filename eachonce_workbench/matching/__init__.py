"""What event patterns and target inputs are made of."""
