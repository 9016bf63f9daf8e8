"""What is derived from a bundle: JSON Schemas of its events, and a sample input of each function."""
