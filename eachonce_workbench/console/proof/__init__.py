"""What is proved of the bundle at hand, and the witnesses of what is not."""
