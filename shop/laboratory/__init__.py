"""A consumer that does what none of the shop's does, so that a simulation meets every part of the layer."""
