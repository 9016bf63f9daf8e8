"""CloudWatch Logs: what functions write, kept for as long as there is room, and read by AWS's calls."""
