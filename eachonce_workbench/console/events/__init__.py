"""The events: all that there were, as they come, and those of them that somebody looks for."""
