"""A run: inputs through a whole bundle in a local cloud, and what became of them."""
