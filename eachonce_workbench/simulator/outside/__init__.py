"""What functions call that the local cloud hasn't got: answered here, counted, and never sent."""
