"""The tables, and what is in the outbox."""
