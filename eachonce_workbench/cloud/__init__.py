"""The local cloud: everything that a template describes, on this machine."""
