"""Dead letters: what consumers gave up on, why, and what is done about it."""
