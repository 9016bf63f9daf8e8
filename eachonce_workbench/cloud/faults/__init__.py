"""Faults: what goes wrong with functions' calls, and which part of them makes a call."""
