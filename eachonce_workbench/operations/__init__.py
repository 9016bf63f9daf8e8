"""A stack, deployed or local: how it is reached, its dead letters, and an event's story."""
