"""The console: a page that shows every event as it happens, and does what commands do."""
