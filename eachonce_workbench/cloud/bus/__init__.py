"""EventBridge: entries, routing, inputs, deliveries."""
