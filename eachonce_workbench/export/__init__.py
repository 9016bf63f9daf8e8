"""What is derived from a bundle: JSON Schemas of its events, samples of each function, and what a simulation sends."""
