"""Afresh: handlers in a new process, whose number, seed of hashes and date of import are others."""
