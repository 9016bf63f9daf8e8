"""Chaos: faults that are turned on and off, and what has met them."""
