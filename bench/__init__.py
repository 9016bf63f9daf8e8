"""What an event costs, side by side in one run: `make bench`."""
