"""EventBridge Pipes: from a queue or a stream, filtered and enriched, to one target."""
