"""What can't be written."""

from __future__ import annotations


class ScaffoldError(Exception):
    """Something is in the way, or missing; the message says what, and nothing was written."""
