"""Schedules: when their times come, and what is sent then."""
