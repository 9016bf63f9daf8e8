"""Event source mappings: from a queue or a stream to a function."""
