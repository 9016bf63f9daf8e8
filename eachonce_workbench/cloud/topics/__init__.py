"""SNS: topics, their subscriptions, and the calls that publish."""
