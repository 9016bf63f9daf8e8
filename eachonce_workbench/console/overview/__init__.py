"""The overview: the topology as the template describes it, and what moves in it."""
