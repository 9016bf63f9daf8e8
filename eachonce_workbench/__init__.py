"""What runs on a person's machine and never in Lambda: the local cloud and the CLI."""
