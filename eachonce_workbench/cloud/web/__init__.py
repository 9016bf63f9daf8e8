"""API Gateway's side of a function, and that of its own URL: requests to events, and what it returns to answers."""
