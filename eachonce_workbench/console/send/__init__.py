"""Send: an event or a request that a person makes, by its contract or as plain JSON, and how it is delivered."""
