"""An event's story: all that is known of one event."""
